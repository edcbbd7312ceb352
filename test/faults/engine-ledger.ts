/**
 * What the engine itself saw of a cluster's containers: every start and every end, from its event stream, told apart by the
 * labels of the agent. It is the witness for "no pod run twice": the agents' own words are not asked.
 */
import http from 'node:http';
import { type EngineApi, engineAt, engineJson } from '#setup/engine-api.ts';
import { engineSocket } from './engine-proxy.ts';

export interface HostContainer {
  readonly id: string;
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly name: string;
}

export interface Ledger {
  /** `namespace/pod/container` → the attempts started, in order; sandboxes are container `POD`. */
  starts(pod: string): readonly string[];
  /** Containers of one name and pod that lived at the same time, as sentences; empty: never. */
  readonly overlaps: readonly string[];
  close(): void;
}

export const engine: EngineApi = engineAt(`unix://${engineSocket}`);

const clusterLabel = 'berth.dev/cluster';

/** All containers of a cluster, also those that ended. */
export const containersOf = async (cluster: string): Promise<readonly HostContainer[]> => {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${clusterLabel}=${cluster}`] }));
  const found = await engineJson<
    readonly { Id: string; State: string; Labels: Record<string, string>; Names: string[] }[]
  >(engine, 'GET', `/containers/json?all=1&filters=${filters}`);
  return found.map(({ Id, State, Labels, Names }) => ({ id: Id, state: State, labels: Labels, name: Names[0] ?? '' }));
};

/** Volumes of the engine that a cluster made. */
export const volumesOf = async (cluster: string): Promise<readonly string[]> => {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${clusterLabel}=${cluster}`] }));
  const { Volumes } = await engineJson<{ Volumes: { Name: string }[] | null }>(
    engine,
    'GET',
    `/volumes?filters=${filters}`,
  );
  return (Volumes ?? []).map(({ Name }) => Name);
};

/** Removes by force whatever a cluster has left; for the end of tests that failed. */
export const removeAllOf = async (cluster: string): Promise<void> => {
  for (const { id } of await containersOf(cluster)) await engine.call('DELETE', `/containers/${id}?force=1&v=1`);
  for (const name of await volumesOf(cluster)) await engine.call('DELETE', `/volumes/${name}?force=1`);
};

interface EngineEvent {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/** Keeps account of a cluster's containers from now on. */
export const openLedger = (cluster: string): Promise<Ledger> => {
  const starts = new Map<string, string[]>();
  const living = new Map<string, Set<string>>();
  const overlaps: string[] = [];
  const take = ({ Action, Actor: { ID, Attributes: labels } }: EngineEvent): void => {
    const pod = `${labels['io.kubernetes.pod.namespace']}/${labels['io.kubernetes.pod.name']}`;
    const container = `${pod}/${labels['io.kubernetes.container.name']}`;
    // Pods of one name follow one another: each has its own uid.
    const key = `${container}/${labels['io.kubernetes.pod.uid']}`;
    const alive = living.get(key) ?? new Set();
    living.set(key, alive);
    if (Action === 'start') {
      alive.add(ID);
      if (alive.size > 1) overlaps.push(`${container} ran ${alive.size} times at once`);
      starts.set(container, [...(starts.get(container) ?? []), labels['io.kubernetes.container.restartCount'] ?? '?']);
    } else if (Action === 'die') alive.delete(ID);
  };
  const filters = encodeURIComponent(
    JSON.stringify({ type: ['container'], label: [`${clusterLabel}=${cluster}`], event: ['start', 'die'] }),
  );
  return new Promise((resolve, reject) => {
    const request = http.get(
      { socketPath: engineSocket, path: `/events?filters=${filters}`, agent: false },
      response => {
        let rest = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          const lines = (rest + text).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) if (line.trim() !== '') take(JSON.parse(line) as EngineEvent);
        });
        response.on('error', () => {});
        resolve({ starts: name => starts.get(name) ?? [], overlaps, close: () => request.destroy() });
      },
    );
    request.on('error', reject);
  });
};
