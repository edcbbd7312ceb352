/** A cluster for a workload: the running scheduler over a registry in memory, in virtual time. Nodes are objects without agents. */
import { setImmediate } from 'node:timers/promises';
import {
  type Event,
  eventKind,
  type Namespace,
  type Node,
  namespaceKind,
  nodeKind,
  type Pod,
  podKind,
  serviceKind,
} from '#api/kinds/core.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import type { Client } from '#client/client.ts';
import type { SchedulerCounters } from '#loops/scheduling-counters.ts';
import type { Setting } from '#test/bench/scheduler-workloads.ts';
import { type SchedulingWorld, schedulingWorld } from '#test/loops/scheduling-world.ts';
import type { Outcome } from './outcome.ts';

export class PerfCluster {
  readonly #world: SchedulingWorld;
  /** Keys of the pods that were bound, in that order. */
  readonly #bound: string[];

  /** `wrap`: what else lies between the scheduler and the API. */
  static async start(wrap: (client: Client) => Client = client => client): Promise<PerfCluster> {
    const bound: string[] = [];
    const noting = (client: Client): Client => ({
      ...client,
      post: async (kind, ref, subresource, body) => {
        await client.post(kind, ref, subresource, body);
        bound.push(`${ref.namespace}/${ref.name}`);
      },
    });
    const world = await schedulingWorld({ wrap: client => wrap(noting(client)) });
    // Templates state priorities as numbers; the API wants classes.
    for (const value of [10, 100, 1000])
      await world.world.create(priorityClassKind as never, { metadata: { name: `priority-${value}` }, value });
    return new PerfCluster(world, bound);
  }

  private constructor(world: SchedulingWorld, bound: string[]) {
    this.#world = world;
    this.#bound = bound;
  }

  async stop(): Promise<void> {
    const stopping = this.#world.scheduler.stop();
    await this.#world.world.clock.advance(10_000);
    await stopping;
  }

  get counters(): SchedulerCounters {
    return this.#world.scheduler.counters;
  }

  // ── what is done to it ─────────────────────────────────────────────────────

  async namespaces(namespaces: readonly Namespace[]): Promise<void> {
    for (const { metadata } of namespaces)
      if (metadata.name !== 'default') await this.#world.world.create(namespaceKind as never, { metadata });
  }

  async nodes(nodes: readonly Node[]): Promise<void> {
    await Promise.all(nodes.map(node => this.#node(node)));
  }

  async #node({ metadata, spec, status }: Node): Promise<void> {
    await this.#world.world.create(nodeKind as never, { metadata, spec });
    await this.patchNode(metadata.name, { status }, 'status');
  }

  async patchNode(name: string, body: object, subresource?: string): Promise<void> {
    await this.#world.world.patch(nodeKind as never, name, { type: 'merge', body }, { subresource });
  }

  async removeNode(name: string): Promise<void> {
    await this.#world.client.remove(nodeKind, { name });
  }

  /** Asks for the pods, all at once. */
  async pods(pods: readonly Pod[]): Promise<void> {
    await Promise.all(pods.map(pod => this.#pod(pod)));
  }

  async #pod({ metadata: { uid: _, ...metadata }, spec: { priority, ...spec } }: Pod): Promise<void> {
    const priorityClassName = priority ? { priorityClassName: `priority-${priority}` } : {};
    await this.#world.world.create(podKind as never, { metadata, spec: { ...spec, ...priorityClassName } });
  }

  async patchPod({ metadata }: Pod, body: object, subresource?: string): Promise<void> {
    const { name, namespace = 'default' } = metadata;
    await this.#world.world.patch(podKind as never, name, { type: 'merge', body }, { namespace, subresource });
  }

  async removePod({ metadata: { name, namespace = 'default' } }: Pod): Promise<void> {
    await this.#world.client.remove(podKind, { namespace, name });
  }

  async service(name: string, namespace: string, selector: Record<string, string>): Promise<void> {
    const spec = { selector, ports: [{ port: 80 }] };
    await this.#world.world.create(serviceKind as never, { metadata: { name, namespace }, spec });
  }

  async removeService(name: string, namespace: string): Promise<void> {
    await this.#world.client.remove(serviceKind, { namespace, name });
  }

  /** Lets `ms` pass, then all that is set off run until nothing more happens at that instant. */
  async pass(ms: number): Promise<void> {
    await this.#world.world.clock.advance(ms);
    let before = '';
    for (let calm = 0; calm < 4; ) {
      for (let turn = 0; turn < 4; turn++) await setImmediate();
      const { attempts, bound, pending } = this.counters;
      const now = JSON.stringify([
        attempts,
        bound,
        pending,
        this.#world.world.registry.list(podKind as never, { limit: 1 }).rev,
      ]);
      calm = now === before ? calm + 1 : 0;
      before = now;
    }
  }

  /** For what lies between the scheduler and the API: a request that takes its time. */
  sleep(ms: number): Promise<void> {
    return this.#world.world.clock.sleep(ms);
  }

  /** Lets time pass, in seconds, until `isSo`; at most a minute, so that nothing has to wait for upstream's flush of five. */
  async until(isSo: () => boolean): Promise<void> {
    for (let second = 0; second < 60 && !isSo(); second++) await this.pass(1000);
  }

  /** Does `act` so many times, each after `everyMs`. */
  async repeat(times: number, everyMs: number, act: (round: number) => Promise<void>): Promise<void> {
    for (let round = 0; round < times; round++) {
      await act(round);
      await this.pass(everyMs);
    }
  }

  // ── what became of it ──────────────────────────────────────────────────────

  all(): readonly Pod[] {
    return this.#world.world.registry.list(podKind as never, {}).entries.map(({ value }) => value as unknown as Pod);
  }

  /** The pods of these names as they are now, where they still are; bound ones first, in the order of their binding. */
  now(pods: readonly Pod[]): readonly Pod[] {
    const present = new Map(this.all().map(pod => [keyOf(pod), pod]));
    const turn = new Map(this.#bound.map((key, i) => [key, i]));
    return pods
      .flatMap(pod => present.get(keyOf(pod)) ?? [])
      .sort((a, b) => (turn.get(keyOf(a)) ?? Infinity) - (turn.get(keyOf(b)) ?? Infinity));
  }

  /** Those of the pods that are on a node. */
  bound(pods: readonly Pod[]): readonly Pod[] {
    return this.now(pods).filter(({ spec }) => spec.nodeName !== undefined);
  }

  outcome(init: readonly Pod[], measured: readonly Pod[]): Outcome {
    const { entries } = this.#world.world.registry.list(nodeKind as never, {});
    const nodes = entries.map(({ value }) => value as unknown as Node);
    return { nodes, init: this.now(init), measured: this.now(measured) };
  }

  /** Messages of all events with that reason. */
  async events(reason: string): Promise<readonly string[]> {
    const { items } = await this.#world.client.list<Event>(eventKind);
    return items.flatMap(event => (event.reason === reason ? [event.message ?? ''] : []));
  }
}

const keyOf = ({ metadata: { namespace = 'default', name } }: Pod): string => `${namespace}/${name}`;

/** Gives `run` clusters of its own, and stops them after it. */
export const withClusters = async <T>(run: (start: typeof PerfCluster.start) => Promise<T>): Promise<T> => {
  const started: PerfCluster[] = [];
  try {
    return await run(async wrap => {
      const cluster = await PerfCluster.start(wrap);
      started.push(cluster);
      return cluster;
    });
  } finally {
    for (const cluster of started) await cluster.stop();
  }
};

/** A workload without any happenings, run by the real scheduling loop. */
export const throughLoop = ({ namespaces, services, nodes, init, measure }: Setting): Promise<Outcome> =>
  withClusters(async start => {
    const cluster = await start();
    await cluster.namespaces(namespaces ?? []);
    for (const { metadata, spec } of services ?? [])
      await cluster.service(metadata.name, metadata.namespace ?? 'default', { ...spec?.selector });
    await cluster.nodes(nodes);
    await cluster.pass(100);
    await cluster.pods(init);
    await cluster.pass(100);
    await cluster.pods(measure);
    await cluster.pass(100);
    return cluster.outcome(init, measure);
  });
