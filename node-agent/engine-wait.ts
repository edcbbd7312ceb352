/**
 * Before the engine has answered for the first time no agent can run. The node is there all the same and says why it is not
 * Ready; it keeps its lease, so that nobody takes the agent itself for lost. Waits for ever: engines come back without hands.
 */
import { type Node, nodeKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import { createBackoff } from '#base/backoff.ts';
import { type Clock, type Signal, toTime } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createStop } from '#base/stop.ts';
import type { Client } from '#client/client.ts';
import { keepLease } from './node/node-lease.ts';
import { isFault } from './runtime.ts';
import type { AgentTimings } from './timings.ts';

export interface WaitDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly timings: AgentTimings;
  /** The node as it is created when there is none yet. */
  readonly node: Node;
}

/** What `prepare` gives, tried until the engine answers. Throws when the engine refuses (too old, misnamed) or `signal` aborts. */
export const whenEngineAnswers = async <T>(deps: WaitDeps, prepare: () => Promise<T>, signal: Signal): Promise<T> => {
  const { clock, random, log, node } = deps;
  const backoff = createBackoff(random, 500, 5000);
  const stop = createStop(signal);
  let known: Node | undefined;
  let lease: Promise<void> | undefined;
  try {
    for (;;) {
      try {
        return await prepare();
      } catch (error) {
        if (!isFault(error, 'unavailable')) throw error;
        log.warn({ node: node.metadata.name, fault: error.message }, 'the engine does not answer yet');
        known = await announce(deps, known, error.message);
        lease ??= keepLease({ ...deps, node: node.metadata.name, uid: () => known?.metadata.uid }, stop.signal);
      }
      await clock.sleep(backoff.next(), signal);
      if (signal.aborted) throw new Error('interrupted before the Docker Engine had answered');
    }
  } finally {
    stop.stop();
    await lease;
  }
};

/** Writes the node's Ready condition; a server that does not answer is only logged. Gives the Node, if it is known. */
const announce = async (deps: WaitDeps, known: Node | undefined, fault: string): Promise<Node | undefined> => {
  const { client, clock, log, node } = deps;
  const ref = { name: node.metadata.name };
  try {
    const old = known ?? (await found(deps));
    const last = old.status?.conditions?.find(({ type }) => type === 'Ready');
    const now = toTime(clock.now());
    const condition = {
      type: 'Ready',
      status: 'False',
      reason: 'KubeletNotReady',
      message: `container runtime is down: ${fault}`,
      lastHeartbeatTime: now,
      lastTransitionTime: last?.status === 'False' ? (last.lastTransitionTime ?? now) : now,
    };
    if (last?.status === 'False' && last.message === condition.message) return old;
    const body = { status: { conditions: [condition] } };
    return await client.patch(nodeKind, ref, { type: 'strategic', body }, { subresource: 'status' });
  } catch (error) {
    log.warn({ err: error, node: ref.name }, 'cannot tell that the engine is away');
    return undefined;
  }
};

const found = async ({ client, node }: WaitDeps): Promise<Node> => {
  try {
    return await client.get(nodeKind, { name: node.metadata.name });
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
    return client.create(nodeKind, node);
  }
};
