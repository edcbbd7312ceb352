/** A cluster that is against its scheduler: anything may come, change and go at any moment, in virtual time, over the real registry. */
import { setImmediate } from 'node:timers/promises';
import { type Node, namespaceKind, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import { ApiError } from '#api/status.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import { type RunningScheduler, startScheduler } from '#loops/scheduling.ts';
import { createLocalClient } from '#registry/local-client.ts';
import { systemUser } from '#registry/request.ts';
import type { PlainCluster } from '#test/engine/reference/reference.ts';
import { createWorld, type World } from '#test/registry/world.ts';
import { type Fault, HostileClient, isOver } from './hostile-client.ts';

export interface PodDraw {
  readonly cpu: string;
  readonly hostPort?: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly priorityClassName?: string | undefined;
  readonly spec: object;
}

export interface NodeDraw {
  readonly cpu: string;
  readonly pods: string;
  readonly zone?: string | undefined;
  readonly disk?: string | undefined;
  readonly cordoned: boolean;
  readonly tainted: boolean;
}

const priorityClasses = [
  { metadata: { name: 'low' }, value: -5 },
  { metadata: { name: 'high' }, value: 1000 },
  { metadata: { name: 'polite' }, value: 1000, preemptionPolicy: 'Never' },
];

export class Adversary {
  readonly world: World;
  readonly hostile: HostileClient;
  scheduler: RunningScheduler;
  readonly #client: Client;
  #next = 0;

  static async start(): Promise<Adversary> {
    const world = await createWorld();
    for (const body of priorityClasses) await world.create(priorityClassKind as never, body);
    return new Adversary(world);
  }

  private constructor(world: World) {
    this.world = world;
    this.#client = createLocalClient(world.registry, systemUser);
    this.hostile = new HostileClient(this.#client, world.clock, seededRandom(5));
    this.scheduler = this.#start();
  }

  #start(): RunningScheduler {
    return startScheduler({
      client: this.hostile.client,
      clock: this.world.clock,
      random: seededRandom(3),
      log: silentLog,
      yieldTurn: () => setImmediate(),
    });
  }

  async stop(): Promise<void> {
    let isStopped = false;
    const stopping = this.scheduler.stop().then(() => {
      isStopped = true;
    });
    for (let second = 0; second < 60 && !isStopped; second++) await this.pass(1000);
    await stopping;
  }

  /** Another scheduler in place of this one; it knows nothing but what the cluster tells. */
  async restart(): Promise<void> {
    await this.stop();
    this.scheduler = this.#start();
  }

  /** Lets time pass, in small steps, so that everything that is set off also runs. */
  async pass(ms: number): Promise<void> {
    const stepMs = Math.max(500, ms / 60);
    for (let left = ms; left > 0; left -= stepMs) {
      await this.world.clock.advance(Math.min(stepMs, left));
      for (let turn = 0; turn < 6; turn++) await setImmediate();
    }
  }

  // ── what it does ───────────────────────────────────────────────────────────

  fault(fault: Fault, on: boolean): void {
    if (on) this.hostile.faults.add(fault);
    else this.hostile.faults.delete(fault);
    if (on && fault === 'watches') this.hostile.breakWatches();
  }

  calm(): void {
    this.hostile.faults.clear();
  }

  async pod({ cpu, hostPort, labels, priorityClassName, spec }: PodDraw, name = `p${this.#next++}`): Promise<void> {
    const ports = hostPort === undefined ? {} : { ports: [{ containerPort: hostPort, hostPort }] };
    const created = this.world.create(podKind as never, {
      metadata: { name, labels },
      spec: {
        containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } }, ...ports }],
        ...(priorityClassName === undefined ? {} : { priorityClassName }),
        ...spec,
      },
    });
    await tolerated(created);
  }

  async remove({ metadata: { name, uid } }: Pod, gracePeriodSeconds: number): Promise<void> {
    const options = { gracePeriodSeconds, ...(uid === undefined ? {} : { preconditions: { uid } }) };
    await tolerated(this.#client.remove(podKind, { namespace: 'default', name }, options));
  }

  async patchPod({ metadata: { name } }: Pod, body: object, subresource?: string): Promise<void> {
    await tolerated(this.world.patch(podKind as never, name, { type: 'merge', body }, { subresource }));
  }

  /** Somebody else puts the pod on a node. */
  async bindElsewhere({ metadata: { name } }: Pod, nodeName: string): Promise<void> {
    const target = { kind: 'Node', name: nodeName };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target };
    await tolerated(this.#client.post(podKind, { namespace: 'default', name }, 'binding', binding));
  }

  /** Makes the node, or makes it so. */
  async node(name: string, { cpu, pods, zone, disk, cordoned, tainted }: NodeDraw): Promise<void> {
    const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': zone ?? null, disk: disk ?? null };
    const taints = tainted ? [{ key: 'dedicated', effect: 'NoSchedule' }] : null;
    const allocatable = { cpu, memory: '64Gi', pods };
    await tolerated(this.world.create(nodeKind as never, { metadata: { name } }));
    const body = { metadata: { labels }, spec: { unschedulable: cordoned || null, taints } };
    await this.world.patch(nodeKind as never, name, { type: 'merge', body });
    const status = { status: { capacity: allocatable, allocatable } };
    await this.world.patch(nodeKind as never, name, { type: 'merge', body: status }, { subresource: 'status' });
  }

  async removeNode(name: string): Promise<void> {
    await tolerated(this.#client.remove(nodeKind, { name }));
  }

  /** What agents and the garbage collector do: pods that are leaving go, and so do those of nodes that are gone. */
  async cleanUp(): Promise<void> {
    const nodes = new Set(this.nodes().map(({ metadata }) => metadata.name));
    for (const pod of this.pods()) {
      const isLost = pod.spec.nodeName !== undefined && !nodes.has(pod.spec.nodeName);
      if (pod.metadata.deletionTimestamp !== undefined || isLost) await this.remove(pod, 0);
    }
  }

  // ── what there is ──────────────────────────────────────────────────────────

  pods(): readonly Pod[] {
    return this.world.registry.list(podKind as never, {}).entries.map(({ value }) => value as unknown as Pod);
  }

  nodes(): readonly Node[] {
    return this.world.registry.list(nodeKind as never, {}).entries.map(({ value }) => value as unknown as Node);
  }

  /** The cluster as the API has it, for the reference. */
  cluster(): PlainCluster {
    const namespaces = this.world.registry.list(namespaceKind as never, {}).entries.map(({ value }) => value.metadata);
    return {
      nodes: this.nodes(),
      pods: this.pods().filter(pod => pod.spec.nodeName !== undefined && !isOver(pod)),
      namespaces: new Map(namespaces.map(({ name, labels }) => [name, labels ?? {}])),
      services: [],
    };
  }
}

/** What the API refuses of its doings does not matter. */
const tolerated = async (call: Promise<unknown>): Promise<void> => {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ApiError) || ![404, 409].includes(error.code)) throw error;
  }
};
