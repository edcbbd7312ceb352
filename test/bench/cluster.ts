/** A real cluster for benchmarks on this machine's engine, seen as users see it: over HTTPS, by kubeconfig. */
import type { ChildProcess } from 'node:child_process';
import { type Node, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { type PodMetrics, podMetricsKind } from '#api/kinds/metrics.ts';
import { isReason } from '#api/status.ts';
import { silentLog } from '#base/log.ts';
import { systemClock } from '#base/system.ts';
import { createHttpClient, type HttpClient } from '#client/http.ts';
import { Informer } from '#client/informer.ts';
import { loadConnection } from '#client/kubeconfig.ts';
import { ensureEngine } from '#setup/engine.ts';
import type { EngineApi } from '#setup/engine-api.ts';
import { imageSets } from '#setup/image-recipes.ts';
import { ensureImages } from '#setup/images.ts';
import { lineProgress } from '#setup/progress.ts';
import { type Bed, outputOf } from './bed.ts';

export const namespace = 'default';
export const image = 'busybox:1.37';
const patienceMs = 60_000;

const busybox = imageSets.demo.find(({ references }) => references.includes(image))!;

/** An engine with the image that the pods run, found or set up. */
export const prepareEngine = async (bed: Bed, say: (line: string) => void): Promise<EngineApi> => {
  const progress = lineProgress(say);
  const engine = await ensureEngine(progress);
  bed.defer(() => engine.stop());
  const images = await ensureImages(engine.api, [busybox], progress);
  bed.defer(() => images.release());
  return engine.api;
};

/** One pause and one app container, with requests and limits, so that all that the agent does for a pod is done. */
export const benchPod = (name: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: {
    containers: [
      {
        name: 'app',
        image,
        imagePullPolicy: 'IfNotPresent',
        // Ends at once when asked to.
        command: ['sh', '-c', 'trap "exit 0" TERM; sleep 100000 & wait'],
        resources: { requests: { cpu: '10m', memory: '8Mi' }, limits: { cpu: '500m', memory: '64Mi' } },
      },
    ],
  },
});

export const isRunning = ({ status }: Pod): boolean =>
  status?.phase === 'Running' &&
  (status.containerStatuses ?? []).length > 0 &&
  status.containerStatuses!.every(one => one.ready);

/** The API over HTTPS, and a watch of all pods. */
export class Cluster {
  readonly client: HttpClient;
  readonly #pods: Informer<Pod>;

  private constructor(client: HttpClient, pods: Informer<Pod>) {
    this.client = client;
    this.#pods = pods;
  }

  static async connect(bed: Bed, kubeconfig: string): Promise<Cluster> {
    const connection = await loadConnection({ kubeconfig, env: {} });
    const client = createHttpClient(connection);
    const stop = new AbortController();
    bed.defer(async () => {
      stop.abort();
      await client.close();
    });
    const pods = new Informer<Pod>({ client, kind: podKind, clock: systemClock, log: silentLog });
    void pods.run(stop.signal);
    await pods.whenSynced();
    return new Cluster(client, pods);
  }

  /** Server-side apply, as `kubectl apply --server-side` sends it. */
  async apply(pod: Pod): Promise<void> {
    const { name } = pod.metadata;
    await this.client.patch(podKind, { namespace, name }, { type: 'apply', body: pod }, { fieldManager: 'bench' });
  }

  pod(name: string): Pod | undefined {
    return this.#pods.get(`${namespace}/${name}`);
  }

  /** Resolves as soon as the watch has shown what `holds` asks for. */
  async until(what: string, holds: () => boolean): Promise<void> {
    if (holds()) return;
    let unsubscribe = () => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`${what}: not within ${patienceMs / 1000} s`)), patienceMs);
        unsubscribe = this.#pods.subscribe(() => holds() && resolve());
      });
    } finally {
      clearTimeout(timer);
      unsubscribe();
    }
  }

  untilRunning(names: readonly string[]): Promise<void> {
    return this.until(`${names.length} pods running`, () =>
      names.every(name => {
        const pod = this.pod(name);
        return pod !== undefined && isRunning(pod);
      }),
    );
  }

  /** Deletes pods, with grace, and waits until they are gone: then their containers are too. */
  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) {
      try {
        await this.client.remove(podKind, { namespace, name });
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error;
      }
    }
    await this.until(`${names.length} pods gone`, () => names.every(name => this.pod(name) === undefined));
  }

  /** Pods whose usage the metrics API tells at present; none while their node's agent is away. */
  async sampledPods(): Promise<number> {
    const { items } = await this.client.list<PodMetrics>(podMetricsKind, { namespace });
    return items.length;
  }

  async nodeIsReady(): Promise<boolean> {
    const { items } = await this.client.list<Node>(nodeKind);
    return items.some(node =>
      node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    );
  }
}

/** `berth up` with one node that is the whole machine, in a process of its own. Ending it removes its containers. */
export const startCluster = async (bed: Bed): Promise<{ cluster: Cluster; process: ChildProcess }> => {
  const kubeconfig = `${bed.folder}/kubeconfig`;
  const args = ['up', '--foreground', '--data', `${bed.folder}/data`, '--port', '0', '--node', 'bench'];
  const process = bed.start('cli/bin.js', [...args, '--kubeconfig', kubeconfig]);
  await outputOf(process, text => (text.includes('Ctrl-C takes it down') ? true : undefined));
  return { cluster: await Cluster.connect(bed, kubeconfig), process };
};
