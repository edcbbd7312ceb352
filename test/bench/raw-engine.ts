/**
 * The reference for pod starts: a pause container and an app container made by bare Docker Engine API calls over
 * keep-alive sockets, shaped exactly as the agent shaped those of a sample pod (image, command, environment, limits, log driver, mounts, network and
 * IPC mode), without labels and cgroup parents.
 */
import { Agent, request } from 'node:http';

const socketPath = process.env['DOCKER_HOST']?.replace('unix://', '') ?? '/var/run/docker.sock';
const agent = new Agent({ keepAlive: true, maxSockets: 32 });

type Json = Record<string, unknown>;

/** One Engine API call; rejects with the engine's message on a status ≥ 400. */
export const engine = <T = Json>(method: string, path: string, body?: object): Promise<T> =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const call = request(
      {
        agent,
        socketPath,
        method,
        path: `/v1.41${path}`,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      response => {
        let answer = '';
        response.on('data', chunk => {
          answer += chunk;
        });
        response.on('end', () => {
          const code = response.statusCode ?? 500;
          if (code >= 400) reject(new Error(`${method} ${path}: ${code} ${answer}`));
          else resolve((answer === '' ? {} : JSON.parse(answer)) as T);
        });
      },
    );
    call.on('error', reject);
    call.end(text);
  });

export interface RawPod {
  readonly pause: string;
  readonly app: string;
}

/** Bodies of container creation. */
export interface Shape {
  readonly pause: Json;
  readonly app: Json;
}

interface Inspected {
  readonly Config: Json;
  readonly HostConfig: Json;
}

const settings = [
  'Image',
  'Cmd',
  'Entrypoint',
  'Env',
  'Hostname',
  'WorkingDir',
  'User',
  'Tty',
  'OpenStdin',
  'StdinOnce',
];

/** The shape of the containers of the pod with that uid, as the engine shows them. */
export const shapeOf = async (podUid: string, mark: string): Promise<Shape> => {
  const filters = encodeURIComponent(JSON.stringify({ label: [`io.kubernetes.pod.uid=${podUid}`] }));
  const rows = await engine<{ Id: string; Labels: Json }[]>('GET', `/containers/json?filters=${filters}`);
  const shape = async (type: string): Promise<Json> => {
    const row = rows.find(({ Labels }) => Labels['io.kubernetes.docker.type'] === type)!;
    const { Config, HostConfig } = await engine<Inspected>('GET', `/containers/${row.Id}/json`);
    const host = { ...HostConfig, CgroupParent: '' };
    const config = Object.fromEntries(settings.flatMap(name => (Config[name] == null ? [] : [[name, Config[name]]])));
    return { ...config, Labels: { 'berth.bench': mark }, HostConfig: host };
  };
  return { pause: await shape('podsandbox'), app: await shape('container') };
};

/** Creates and starts pause and app; resolves when both are started. */
export const startRawPod = async (name: string, shape: Shape): Promise<RawPod> => {
  const pause = await createAndStart(`${name}-pause`, shape.pause);
  const mode = `container:${pause}`;
  const { Hostname: _, ...app } = shape.app;
  const host = { ...(app['HostConfig'] as Json), NetworkMode: mode, IpcMode: mode };
  return { pause, app: await createAndStart(`${name}-app`, { ...app, HostConfig: host }) };
};

const createAndStart = async (name: string, body: Json): Promise<string> => {
  const { Id } = await engine<{ Id: string }>('POST', `/containers/create?name=${name}`, body);
  await engine('POST', `/containers/${Id}/start`);
  return Id;
};

export const removeRawPod = async (pod: RawPod): Promise<void> => {
  await engine('DELETE', `/containers/${pod.app}?force=1&v=1`);
  await engine('DELETE', `/containers/${pod.pause}?force=1&v=1`);
};

/** Removes every raw container with that mark. */
export const removeMarked = async (mark: string): Promise<void> => {
  const filters = encodeURIComponent(JSON.stringify({ label: [`berth.bench=${mark}`] }));
  const rows = await engine<{ Id: string }[]>('GET', `/containers/json?all=1&filters=${filters}`);
  await inParallel(rows, 8, ({ Id }) => engine('DELETE', `/containers/${Id}?force=1&v=1`));
};

/** Runs `task` for each item with at most `width` at a time; results in the order of the items. */
export const inParallel = async <T, R>(
  items: readonly T[],
  width: number,
  task: (item: T) => Promise<R>,
): Promise<R[]> => {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await task(items[at]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
};
