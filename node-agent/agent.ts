/**
 * The agent of one node, put together of its parts: the node keeper, the picture of the engine, a worker for each pod
 * bound to this node, the sampler. Platform-free: main.ts gives it the machine and the engine, a simulator others.
 * Whatever carries the labels of this cluster and node and has no pod any more is removed; nothing else is touched.
 */
import type { Node, Pod } from '#api/kinds/core.ts';
import { podKind } from '#api/kinds/core.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createStop } from '#base/stop.ts';
import type { Client } from '#client/client.ts';
import { createRecorder } from '#client/events.ts';
import { Informer } from '#client/informer.ts';
import { reject } from './admission.ts';
import { nodePath, shareLimits } from './container/cgroup-plan.ts';
import type { NodeLimits } from './container/host-config.ts';
import { ImagePuller } from './container/image-puller.ts';
import { ReferenceStore } from './container/references.ts';
import { Limiter } from './limiter.ts';
import type { HostFacts, Machine } from './machine.ts';
import { isSandbox, type Owner, type PodSeen } from './names.ts';
import { NodeFactsSource, requestedBy } from './node/node-facts.ts';
import { NodeKeeper } from './node/node-keeper.ts';
import { type NodeConfig, newNode, nodeStatusOf, usageText } from './node/node-status.ts';
import { Sampler } from './node/stats.ts';
import { Observer } from './observed.ts';
import { OrphanSweeper } from './orphans.ts';
import type { PodDeps } from './pod/pod-deps.ts';
import type { MachinePolicy } from './pod/pod-plan.ts';
import { PodWorker } from './pod/pod-worker.ts';
import type { ContainerRuntime, ContainerSeen, EngineInfo } from './runtime.ts';
import type { AgentTimings } from './timings.ts';

export interface AgentParts {
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly machine: Machine;
  readonly info: EngineInfo;
  readonly host: HostFacts;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly owner: Owner;
  readonly config: NodeConfig;
  readonly timings: AgentTimings;
  readonly policy: MachinePolicy;
  readonly dataDir: string;
  readonly hostDataDir: string;
  readonly network: string;
  readonly statsSource: 'auto' | 'engine';
  readonly negativeOomScore: boolean;
  readonly pidsLimit: number;
  readonly startsAtOnce: number;
  /** Variables of the `kubernetes` Service. */
  readonly serviceEnv: Readonly<Record<string, string>>;
  /** Made good: what the engine cannot do here, for the node's condition. */
  readonly remarks: readonly string[];
}

export class Agent {
  readonly #parts: AgentParts;
  readonly #deps: PodDeps;
  readonly #observer: Observer;
  readonly #keeper: NodeKeeper;
  readonly #sampler: Sampler;
  readonly #pods: Informer<Pod>;
  readonly #references: ReferenceStore;
  readonly #orphans: OrphanSweeper;
  readonly #workers = new Map<string, PodWorker>();
  readonly #runs = new Map<string, Promise<void>>();
  readonly #stop = createStop();
  readonly #flush: () => Promise<void>;
  readonly #shareFault: string | undefined;
  readonly #facts: NodeFactsSource;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(parts: AgentParts) {
    this.#parts = parts;
    const { client, clock, random, log, owner, runtime, machine, config, timings } = parts;
    this.#shareFault = machine.cgroups.unwritable;
    const recorder = createRecorder({ client, clock, random, log, component: 'kubelet', host: owner.node });
    this.#flush = () => recorder.flush();
    this.#observer = new Observer({
      runtime,
      clock,
      random,
      log,
      owner,
      pingMs: timings.pingMs,
      changed: uid => this.#workers.get(uid)?.wake(),
      started: seen => this.#started(seen),
      outOfMemory: (uid, id) => this.#workers.get(uid)?.outOfMemory(id),
      engineChanged: fault => this.#engineChanged(fault),
    });
    this.#references = new ReferenceStore({
      client,
      clock,
      log,
      changed: uids => {
        for (const uid of uids) this.#workers.get(uid)?.referencesChanged();
      },
    });
    this.#facts = new NodeFactsSource({
      ...parts,
      shareFault: this.#shareFault,
      engineFault: () => this.#observer.fault,
      memoryInUseBytes: () => this.#sampler.usage()?.memoryWorkingSetBytes,
    });
    this.#deps = this.#podDeps(recorder);
    this.#keeper = new NodeKeeper({
      client,
      clock,
      random,
      log,
      recorder,
      config,
      timings,
      enforcesShare: this.#shareFault === undefined,
      facts: () => this.#facts.gather(),
      usage: () => this.#usageText(),
    });
    this.#sampler = new Sampler({
      runtime,
      machine,
      clock,
      log,
      node: owner.node,
      source: parts.statsSource,
      group: this.#shareFault === undefined ? nodePath(owner) : undefined,
      wholeMachine: config.share.cpuMilli === undefined && config.share.memoryBytes === undefined,
      running: () => this.#observer.all().filter(seen => seen.phase === 'running'),
      oomKills: (uid, container) => this.#workers.get(uid)?.oomKills(container) ?? 0,
    });
    this.#pods = new Informer({ client, kind: podKind, clock, log, fieldSelector: `spec.nodeName=${owner.node}` });
    this.#pods.subscribe(changes => {
      for (const { was, now } of changes) this.#podChanged(was, now);
    });
    this.#orphans = new OrphanSweeper(this.#deps, () => new Set(this.#workers.keys()));
  }

  get observer(): Observer {
    return this.#observer;
  }

  get sampler(): Sampler {
    return this.#sampler;
  }

  get node(): Node | undefined {
    return this.#keeper.node;
  }

  /** The pod of that uid, and its containers. */
  find(uid: string): { readonly pod: Pod; readonly seen: PodSeen } | undefined {
    const worker = this.#workers.get(uid);
    return worker && { pod: worker.pod, seen: this.#observer.pod(uid) };
  }

  /** Registers the node and begins to run its pods; resolves when the node is registered and the engine was listed. */
  async start(): Promise<void> {
    const { machine, owner, config, clock } = this.#parts;
    const { signal } = this.#stop;
    if (this.#shareFault === undefined) await machine.cgroups.apply(nodePath(owner), shareLimits(config.share));
    const observing = this.#observer.run(signal);
    await Promise.race([this.#observer.whenListed(), clock.sleep(2000)]);
    await this.#keeper.register(signal);
    this.#loops = Promise.all([observing, this.#keeper.run(signal), this.#runPods(signal), this.#sampler.run(signal)]);
  }

  /** Stops looking after the node. Its containers go on, unless they are to be removed; without any, its cgroup goes too. */
  async stop(options: { readonly removeContainers?: boolean } = {}): Promise<void> {
    this.#stop.stop();
    await Promise.all([...this.#workers.values()].map(worker => worker.stop()));
    await Promise.all([...this.#runs.values(), this.#references.stop(), this.#loops]);
    await this.#flush();
    const { machine, owner } = this.#parts;
    if (options.removeContainers) await this.#orphans.removeAll();
    else if (this.#shareFault === undefined) await machine.cgroups.prune(nodePath(owner));
  }

  /** Pods are known only after the first list, and the engine's containers likewise: no worker begins before both. */
  async #runPods(signal: Signal): Promise<void> {
    const informing = this.#pods.run(signal);
    await Promise.race([
      Promise.all([this.#pods.whenSynced(), this.#observer.whenListed()]),
      new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true })),
    ]);
    if (!signal.aborted) {
      const oldestFirst = [...this.#pods.list()].sort((a, b) =>
        (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1,
      );
      for (const pod of oldestFirst) this.#podChanged(undefined, pod);
      await this.#orphans.run(signal);
    }
    await informing;
  }

  #podChanged(was: Pod | undefined, now: Pod | undefined): void {
    if (this.#stop.signal.aborted || !this.#isReady()) return;
    if (was && was.metadata.uid !== now?.metadata.uid) this.#workers.get(was.metadata.uid ?? '')?.gone();
    if (!now) return;
    const uid = now.metadata.uid ?? '';
    const worker = this.#workers.get(uid);
    if (worker) worker.update(now);
    else this.#begin(uid, now);
  }

  #isReady(): boolean {
    return this.#pods.synced && this.#observer.isListed;
  }

  #begin(uid: string, pod: Pod): void {
    const worker = new PodWorker(this.#deps, pod);
    this.#workers.set(uid, worker);
    const run = worker.run().finally(() => {
      this.#workers.delete(uid);
      this.#runs.delete(uid);
      this.#references.release(uid);
      this.#sampler.forgetPod(uid);
    });
    this.#runs.set(uid, run);
  }

  /** An OOM kill ends the whole container, not one process of it, as the kubelet has it (cgroup v2). */
  #started(seen: ContainerSeen): void {
    if (this.#shareFault !== undefined || isSandbox(seen)) return;
    const fault = this.#parts.machine.groupOomKills(seen.pid, seen.id);
    if (fault !== undefined) this.#parts.log.debug({ fault, id: seen.id }, 'memory.oom.group is not set');
  }

  #engineChanged(fault: string | undefined): void {
    this.#parts.log.info({ fault: fault ?? null }, fault === undefined ? 'the engine answers' : 'the engine is gone');
    this.#keeper.look();
    for (const worker of this.#workers.values()) worker.wake();
  }

  #podDeps(recorder: PodDeps['recorder']): PodDeps {
    const parts = this.#parts;
    const { config, info } = parts;
    const enforcesCgroups = this.#shareFault === undefined;
    const limits: NodeLimits = {
      hostCpus: info.cpus,
      // The kernel weighs the processes of a slice within the memory of the slice's cgroup, not of the machine.
      memoryCapacityBytes: config.share.memoryBytes ?? info.memoryBytes,
      ...(enforcesCgroups && config.share.cpuMilli !== undefined ? { cpuCeilingMilli: config.share.cpuMilli } : {}),
      negativeOomScore: parts.negativeOomScore,
      pidsLimit: parts.pidsLimit,
      cpuPeriodMicros: 100_000,
    };
    return {
      ...parts,
      observer: this.#observer,
      references: this.#references,
      images: new ImagePuller(parts.runtime, parts.clock),
      recorder,
      limits,
      enforcesCgroups,
      starts: new Limiter(parts.startsAtOnce),
      removals: new Limiter(parts.startsAtOnce),
      hostIP: parts.host.address,
      serviceEnv: () => parts.serviceEnv,
      allocatable: () => this.#node().status?.allocatable ?? {},
      admit: pod => reject(pod, this.#node(), this.#activePods(pod)),
    };
  }

  /** The Node as the server has it, or as it is about to. */
  #node(): Node {
    const known = this.#keeper.node;
    if (known?.status?.allocatable) return known;
    const node = newNode(this.#parts.config, this.#parts.info);
    return {
      ...node,
      status: nodeStatusOf(this.#parts.config, this.#facts.known(), undefined, this.#parts.clock.now()),
    };
  }

  #activePods(besides?: Pod): readonly Pod[] {
    return [...this.#workers.values()]
      .filter(worker => worker.isActive && worker.pod.metadata.uid !== besides?.metadata.uid)
      .map(worker => worker.pod);
  }

  #usageText(): string | undefined {
    const used = this.#sampler.usage();
    return used && usageText(used, requestedBy(this.#activePods()), this.#node().status?.allocatable ?? {});
  }
}
