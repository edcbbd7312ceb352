/** The heartbeat of a node: its Lease in kube-node-lease, renewed as often as the timings say (SEMANTICS E.4). */
import { type Lease, leaseKind } from '#api/kinds/coordination.ts';
import { isReason } from '#api/status.ts';
import { createBackoff } from '#base/backoff.ts';
import { type Clock, type Signal, toMicroTime } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import type { AgentTimings } from '../timings.ts';

const leaseNamespace = 'kube-node-lease';

export interface LeaseDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly node: string;
  readonly timings: AgentTimings;
  /** The Node's uid, once it is known: it owns its Lease. */
  uid(): string | undefined;
}

/** Renews until `signal` aborts; never rejects. */
export const keepLease = async (deps: LeaseDeps, signal: Signal): Promise<void> => {
  const { clock, log, random, timings } = deps;
  const backoff = createBackoff(random, 200, timings.leaseRetryMs);
  let lease: Lease | undefined;
  while (!signal.aborted) {
    try {
      lease = await renewed(deps, lease);
      backoff.reset();
      await clock.sleep(timings.leaseEveryMs, signal);
    } catch (error) {
      lease = undefined;
      log.warn({ err: error }, 'cannot renew the node lease');
      await clock.sleep(backoff.next(), signal);
    }
  }
};

const renewed = async ({ client, clock, node, timings, uid }: LeaseDeps, held: Lease | undefined): Promise<Lease> => {
  const ref = { namespace: leaseNamespace, name: node };
  const renewTime = toMicroTime(clock.now());
  const spec = { holderIdentity: node, leaseDurationSeconds: timings.leaseSeconds, renewTime };
  if (held) return client.update(leaseKind, { ...held, spec: { ...held.spec, ...spec } });
  const owner = uid();
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: node, uid: owner ?? '' }];
  const metadata = { ...ref, ...(owner === undefined ? {} : { ownerReferences }) };
  try {
    return await client.create(leaseKind, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec });
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
    const found = await client.get(leaseKind, ref);
    return client.update(leaseKind, { ...found, spec: { ...found.spec, ...spec } });
  }
};
