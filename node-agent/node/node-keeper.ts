/**
 * Keeps the Node object true: registers it, renews its lease, writes its status when it changed (looked at as often as
 * the timings say, and at once when the engine dies or comes back or somebody advertises a resource) and now and then
 * when it did not, and its usage annotation (SEMANTICS E.4).
 */

import type { Node } from '#api/kinds/core.ts';
import { nodeKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import { createBackoff } from '#base/backoff.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import type { Recorder } from '#client/events.ts';
import { Informer } from '#client/informer.ts';
import { Pause } from '../pod/pause.ts';
import type { AgentTimings } from '../timings.ts';
import { keepLease } from './node-lease.ts';
import { differs, type NodeConfig, type NodeFacts, newNode, nodeLabels, nodeStatusOf } from './node-status.ts';

export interface NodeKeeperDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly config: NodeConfig;
  readonly timings: AgentTimings;
  /** A cgroup holds the pods of the node to what it has. */
  readonly enforcesShare: boolean;
  facts(): Promise<NodeFacts>;
  /** The text of the usage annotation, or undefined while nothing is known. */
  usage(): string | undefined;
}

/** Between two writes of the usage annotation. */
const annotateEveryMs = 10_000;
export const usageAnnotation = 'berth.dev/usage';

const conditionEvents: Readonly<Record<string, readonly [whenTrue: string, whenFalse: string]>> = {
  Ready: ['NodeReady', 'NodeNotReady'],
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
  PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
};

export class NodeKeeper {
  readonly #deps: NodeKeeperDeps;
  readonly #informer: Informer<Node>;
  #node: Node | undefined;
  #hasBegun = false;
  #isCordoned = false;
  #reportedMs = 0;
  #annotatedMs = 0;
  #pause: Pause | undefined;

  constructor(deps: NodeKeeperDeps) {
    this.#deps = deps;
    const { client, clock, log, config } = deps;
    this.#informer = new Informer({
      client,
      kind: nodeKind,
      clock,
      log,
      fieldSelector: `metadata.name=${config.name}`,
    });
    this.#informer.subscribe(changes => {
      for (const { now } of changes) if (now) this.#take(now);
      this.look();
    });
  }

  /** The newest Node known. */
  get node(): Node | undefined {
    return this.#node;
  }

  /** Something about the node has changed: work its status out now. */
  look(): void {
    this.#pause?.wake();
  }

  /** Makes the Node object, or takes over the one of that name; then its first status. */
  async register(signal: Signal): Promise<void> {
    const { clock, log, random } = this.#deps;
    const backoff = createBackoff(random, 100, 7000);
    while (!signal.aborted) {
      try {
        this.#take(await this.#created());
        this.#sayBegun();
        await this.#report();
        return;
      } catch (error) {
        log.warn({ err: error, node: this.#deps.config.name }, 'cannot register the node');
        await clock.sleep(backoff.next(), signal);
      }
    }
  }

  #sayBegun(): void {
    if (this.#hasBegun || !this.#node) return;
    this.#hasBegun = true;
    this.#say(this.#node, 'Normal', 'Starting', 'Starting kubelet.');
    if (this.#deps.enforcesShare)
      this.#say(this.#node, 'Normal', 'NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods');
  }

  #say(node: Node, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#deps.recorder.event(node, type, reason, message);
  }

  async #created(): Promise<Node> {
    const { client, config } = this.#deps;
    const { info } = await this.#deps.facts();
    try {
      return await client.create(nodeKind, newNode(config, info));
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error;
      const labels = nodeLabels(config, info);
      const body = { metadata: { labels, annotations: config.annotations } };
      return client.patch(nodeKind, { name: config.name }, { type: 'merge', body });
    }
  }

  /** Heartbeats and status until `signal` aborts; never rejects. */
  async run(signal: Signal): Promise<void> {
    const { config } = this.#deps;
    const lease = { ...this.#deps, node: config.name, uid: () => this.#node?.metadata.uid };
    await Promise.all([this.#informer.run(signal), keepLease(lease, signal), this.#keepStatus(signal)]);
  }

  #take(node: Node): void {
    if (Number(node.metadata.resourceVersion ?? 0) >= Number(this.#node?.metadata.resourceVersion ?? 0))
      this.#node = node;
  }

  async #keepStatus(signal: Signal): Promise<void> {
    const { clock, log } = this.#deps;
    const pause = new Pause(clock, signal);
    this.#pause = pause;
    while (!signal.aborted) {
      pause.begin();
      try {
        await this.#report();
        await this.#annotate();
      } catch (error) {
        if (isReason(error, 'NotFound')) await this.register(signal);
        else if (isReason(error, 'Conflict')) await this.#refresh();
        else log.warn({ err: error }, 'cannot report the node status');
      }
      await this.#rest(pause, signal);
    }
  }

  async #rest(pause: Pause, signal: Signal): Promise<void> {
    const { clock, timings } = this.#deps;
    if (pause.isWoken) return clock.sleep(100, signal);
    await pause.rest(timings.statusEveryMs);
  }

  async #refresh(): Promise<void> {
    const { client, config, log } = this.#deps;
    await client.get(nodeKind, { name: config.name }).then(
      node => this.#take(node),
      (error: unknown) => log.warn({ err: error }, 'cannot read the node'),
    );
    this.look();
  }

  async #report(): Promise<void> {
    const { client, clock, config, timings } = this.#deps;
    const old = this.#node;
    if (!old) return;
    this.#tellCordon(old);
    const status = nodeStatusOf(config, await this.#deps.facts(), old, clock.now());
    if (!differs(old.status, status) && clock.now() - this.#reportedMs < timings.reportAtLeastMs) return;
    const written = await client.update(nodeKind, { ...old, status }, { subresource: 'status' });
    this.#reportedMs = clock.now();
    this.#take(written);
    this.#tell(old, written);
  }

  #tellCordon(node: Node): void {
    const isCordoned = node.spec.unschedulable === true;
    if (this.#isCordoned === isCordoned) return;
    this.#isCordoned = isCordoned;
    const reason = isCordoned ? 'NodeNotSchedulable' : 'NodeSchedulable';
    this.#say(node, 'Normal', reason, `Node ${node.metadata.name} status is now: ${reason}`);
  }

  #tell(old: Node, now: Node): void {
    const bootId = now.status?.nodeInfo?.bootID ?? '';
    const wasBootId = old.status?.nodeInfo?.bootID ?? '';
    if (wasBootId !== '' && wasBootId !== bootId)
      this.#say(now, 'Warning', 'Rebooted', `Node ${now.metadata.name} has been rebooted, boot id: ${bootId}`);
    for (const { type, status } of now.status?.conditions ?? []) {
      const reasons = conditionEvents[type];
      if (!reasons || old.status?.conditions?.find(condition => condition.type === type)?.status === status) continue;
      const reason = status === 'True' ? reasons[0] : reasons[1];
      this.#say(now, 'Normal', reason, `Node ${now.metadata.name} status is now: ${reason}`);
    }
  }

  async #annotate(): Promise<void> {
    const { client, clock, config } = this.#deps;
    const text = clock.now() - this.#annotatedMs < annotateEveryMs ? undefined : this.#deps.usage();
    const old = this.#node?.metadata.annotations?.[usageAnnotation];
    if (text === undefined || (old !== undefined && isAlike(old, text))) return;
    const body = { metadata: { annotations: { [usageAnnotation]: text } } };
    this.#take(await client.patch(nodeKind, { name: config.name }, { type: 'merge', body }));
    this.#annotatedMs = clock.now();
  }
}

/** Usage texts that differ by little: not worth a write. Numbers within 5 % or 10 units count as equal. */
const isAlike = (a: string, b: string): boolean => {
  const numbers = (text: string) => [...text.matchAll(/\d+/g)].map(match => Number(match[0]));
  const [left, right] = [numbers(a), numbers(b)];
  if (a.replaceAll(/\d+/g, '') !== b.replaceAll(/\d+/g, '') || left.length !== right.length) return false;
  return left.every((value, i) => Math.abs(value - right[i]!) <= Math.max(10, value * 0.05));
};
