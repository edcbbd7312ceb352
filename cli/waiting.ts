/**
 * Waits until one object satisfies a test, by list and watch with a deadline. Nothing is polled except the creation of
 * an object that is not there.
 */
import { isReason } from '#api/status.ts';
import type { Cluster } from './cluster.ts';
import type { Resource } from './discovery.ts';
import { CliError, Exit, interruptCode } from './failure.ts';
import { type AnyObject, listAll, watchLines } from './read.ts';

export interface ObjectName {
  readonly namespace: string | undefined;
  readonly name: string;
}

/** `undefined`: the object is not there (any more). */
export type Test = (object: AnyObject | undefined) => boolean;

const weekMs = 7 * 24 * 3_600_000;

/** When a wait that begins now has to end; a negative timeout means a week. */
export const deadlineOf = (cluster: Cluster, timeoutMs: number): number =>
  cluster.io.clock.now() + (timeoutMs < 0 ? weekMs : timeoutMs);

/** The deadline has come first. */
export class TimedOut extends CliError {
  constructor(resource: Resource, name: string) {
    super(`timed out waiting for the condition on ${resource.plural}/${name}`);
  }
}

/** Resolves with the object (or undefined) for which `test` is true; throws CliError at the deadline. */
export const waitFor = async (
  cluster: Cluster,
  resource: Resource,
  ref: ObjectName,
  test: Test,
  deadlineMs: number,
): Promise<AnyObject | undefined> => {
  const { io } = cluster;
  const selection = { namespace: ref.namespace, fieldSelector: `metadata.name=${ref.name}` };
  for (let first = true; ; first = false) {
    const { items, resourceVersion } = await listAll(cluster, resource, selection);
    if (test(items[0])) return items[0];
    const leftMs = deadlineMs - io.clock.now();
    if (io.signal.aborted) throw new Exit(interruptCode(io.signal));
    if (leftMs <= 0) throw new TimedOut(resource, ref.name);
    // A server that ends watches at once must not make this spin.
    if (!first) await io.clock.sleep(Math.min(leftMs, 200), io.signal);
    const found = await watchUntil(cluster, resource, selection, { resourceVersion, test, leftMs });
    if (found) return found.object;
  }
};

const watchUntil = async (
  cluster: Cluster,
  resource: Resource,
  selection: { namespace: string | undefined; fieldSelector: string },
  more: { resourceVersion: string; test: Test; leftMs: number },
): Promise<{ object: AnyObject | undefined } | undefined> => {
  const { io } = cluster;
  const stop = new AbortController();
  const cancel = io.clock.after(more.leftMs, () => stop.abort());
  const signal = AbortSignal.any([stop.signal, io.signal]);
  try {
    const options = { resourceVersion: more.resourceVersion, signal };
    for await (const event of watchLines<AnyObject>(cluster, resource, selection, options)) {
      if (event.type === 'BOOKMARK') continue;
      const object = event.type === 'DELETED' ? undefined : event.object;
      if (more.test(object)) return { object };
    }
    return undefined;
  } catch (error) {
    // The revision was compacted away between list and watch: list again.
    if (isReason(error, 'Expired')) return undefined;
    throw error;
  } finally {
    cancel();
    stop.abort();
  }
};

/** Waits until the object with this uid is gone. */
export const waitGone = async (
  cluster: Cluster,
  resource: Resource,
  ref: ObjectName & { uid: string | undefined },
  deadlineMs: number,
): Promise<void> => {
  const gone: Test = object => object === undefined || (ref.uid !== undefined && object.metadata.uid !== ref.uid);
  await waitFor(cluster, resource, ref, gone, deadlineMs);
};
