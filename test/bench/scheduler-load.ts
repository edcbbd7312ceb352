/**
 * A process of the benchmarks: binds the pending pods of a cluster over HTTPS, either as the scheduler loop that Berth runs
 * (`scheduler`) or without deciding anything (`bind`), which shows what server and client can do at most.
 * `scheduler-load.ts MODE ADDRESS PENDING`; sends `binding` by IPC with the first, and LoadResult once its watch of all pods has
 * shown every one bound.
 */
import { type Node, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import type { KubeObject } from '#api/object.ts';
import { silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import type { Client, WatchEvent } from '#client/client.ts';
import { createHttpClient } from '#client/http.ts';
import { Informer } from '#client/informer.ts';
import { startScheduler } from '#loops/scheduling.ts';
import type { ControlPlaneAddress } from './control-plane.ts';

export interface LoadResult {
  /** From the first binding sent to the last pod seen bound. */
  readonly seconds: number;
  /** From the start of the loop to the first binding: listing nodes and pods. */
  readonly syncSeconds: number;
  /** Pods seen bound by then, each 250 ms. */
  readonly progress: readonly number[];
  readonly cpuSeconds: number;
}

const [mode, addressText = '', pendingText = '0'] = process.argv.slice(2);
const address = JSON.parse(addressText) as ControlPlaneAddress;
const pending = Number(pendingText);
const concurrency = 64;

const http = createHttpClient({ ...address, connections: concurrency });
const begunMs = performance.now();
let firstMs = 0;
let bound = 0;
let cpuAtFirst = process.cpuUsage();
const progress: number[] = [];
let finish: () => void = () => {};
const finished = new Promise<void>(resolve => {
  finish = resolve;
});

/** Counts what passes: the first binding, and every pod that a watch shows bound. */
const counting: Client = {
  get: http.get.bind(http),
  list: http.list.bind(http),
  create: http.create.bind(http),
  update: http.update.bind(http),
  patch: http.patch.bind(http),
  remove: http.remove.bind(http),
  post: (kind, ref, subresource, body) => {
    if (firstMs === 0) {
      firstMs = performance.now();
      cpuAtFirst = process.cpuUsage();
      process.send?.('binding');
    }
    return http.post(kind, ref, subresource, body);
  },
  watch: (kind, options) => (kind.plural === 'pods' ? counted(http.watch(kind, options)) : http.watch(kind, options)),
};

const seen = new Set<string>();
async function* counted<T extends KubeObject>(events: AsyncIterable<readonly WatchEvent<T>[]>) {
  for await (const batch of events) {
    for (const event of batch) {
      if (event.type !== 'MODIFIED' || seen.has(event.object.metadata.uid ?? '')) continue;
      if (!(event.object as unknown as Pod).spec.nodeName) continue;
      seen.add(event.object.metadata.uid ?? '');
      bound++;
    }
    if (bound >= pending) finish();
    yield batch;
  }
}

const bindAll = async (): Promise<void> => {
  const signal = new AbortController().signal;
  const options = { client: counting, clock: systemClock, log: silentLog };
  const nodes = new Informer<Node>({ ...options, kind: nodeKind });
  const pods = new Informer<Pod>({ ...options, kind: podKind });
  void nodes.run(signal);
  void pods.run(signal);
  await Promise.all([nodes.whenSynced(), pods.whenSynced()]);
  const names = nodes.list().map(node => node.metadata.name);
  const waiting = pods.list().filter(pod => !pod.spec.nodeName);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < waiting.length; i = next++) {
      const { name, namespace = 'default', uid = '' } = waiting[i]!.metadata;
      const target = { apiVersion: 'v1', kind: 'Node', name: names[i % names.length]! };
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target };
      await counting.post(podKind, { namespace, name }, 'binding', binding);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
};

const timer = setInterval(() => firstMs > 0 && progress.push(bound), 250);
if (mode === 'bind') await bindAll();
else startScheduler({ client: counting, clock: systemClock, random: systemRandom, log: silentLog });
await finished;
const endMs = performance.now();
clearInterval(timer);
const { user, system } = process.cpuUsage(cpuAtFirst);
const result: LoadResult = {
  seconds: (endMs - firstMs) / 1000,
  syncSeconds: (firstMs - begunMs) / 1000,
  progress,
  cpuSeconds: (user + system) / 1e6,
};
process.send?.(result, () => process.exit(0));
