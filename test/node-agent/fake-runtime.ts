/**
 * A container engine in memory, on a clock: ContainerRuntime with programs that are plain descriptions (how long they
 * run, how they end, whether they heed signals). Deterministic; platform-free, so that a simulator can use it.
 */

import type {
  ContainerRuntime,
  ContainerSeen,
  ContainerSpec,
  EngineInfo,
  ExecStreams,
  ImageFound,
  LogOptions,
  ProcessStreams,
  ResourceUpdate,
  RuntimeEvent,
  StatsSample,
} from '#agent/runtime.ts';
import { RuntimeError } from '#agent/runtime.ts';
import type { Clock, Signal } from '#base/clock.ts';

/** What a container's process does. */
export interface Program {
  /** Ends by itself after this time; absent: never. */
  readonly runsMs?: number;
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
  /** Lives on at SIGTERM. */
  readonly deaf?: boolean;
  /** The engine cannot start it: its words. */
  readonly startError?: string;
  readonly log?: string;
}

interface Held {
  seen: ContainerSeen;
  readonly spec: ContainerSpec;
  cancel: () => void;
}

export interface FakeEngineOptions {
  readonly clock: Clock;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  /** The program of a container; default one that runs until it is signalled. */
  readonly program?: (spec: ContainerSpec) => Program;
}

export class FakeRuntime implements ContainerRuntime {
  readonly name = 'fake';
  /** While set, every call fails with it: the engine is away. */
  outage: string | undefined;
  readonly #options: FakeEngineOptions;
  readonly #held = new Map<string, Held>();
  readonly #images = new Map<string, ImageFound>();
  readonly #volumes = new Map<string, Readonly<Record<string, string>>>();
  readonly #listeners = new Set<(event: RuntimeEvent) => void>();
  #last = 0;
  /** Starts of each container name, to see that nothing is started twice. */
  readonly starts = new Map<string, number>();

  constructor(options: FakeEngineOptions, images: readonly string[] = []) {
    this.#options = options;
    for (const image of images) this.addImage(image);
  }

  addImage(reference: string, more: Partial<ImageFound> = {}): void {
    const id = `sha256:${reference}`;
    this.#images.set(reference, { id, tags: [reference], digests: [], sizeBytes: 1000, user: '', ...more });
  }

  async info(): Promise<EngineInfo> {
    this.#reach();
    return {
      cpus: this.#options.cpus ?? 4,
      memoryBytes: this.#options.memoryBytes ?? 8 * 2 ** 30,
      cgroupVersion: '2',
      cgroupDriver: 'none',
      serverVersion: 'fake',
      apiVersion: '1.41',
      kernelVersion: 'fake',
      operatingSystem: 'fake',
      osType: 'linux',
      architecture: 'amd64',
      rootDirectory: '/fake',
      id: 'FAKE',
      liveRestore: true,
    };
  }

  async ping(): Promise<void> {
    this.#reach();
  }

  async images(): Promise<readonly ImageFound[]> {
    this.#reach();
    return [...this.#images.values()];
  }

  async image(reference: string): Promise<ImageFound | undefined> {
    this.#reach();
    return this.#images.get(reference);
  }

  async pullImage(reference: string): Promise<void> {
    this.#reach();
    if (!this.#images.has(reference)) throw new RuntimeError('other', 'dial tcp: lookup registry: no such host', 500);
  }

  async importImage(repository: string, tag: string): Promise<void> {
    this.#reach();
    this.addImage(`${repository}:${tag}`);
  }

  async create(spec: ContainerSpec): Promise<string> {
    this.#reach();
    const image = this.#images.get(spec.image);
    if (!image) throw new RuntimeError('notFound', `No such image: ${spec.image}`, 404);
    const taken = [...this.#held.values()].find(held => held.seen.name === spec.name);
    if (taken)
      throw new RuntimeError(
        'conflict',
        `Conflict. The container name "/${spec.name}" is already in use by container "${taken.seen.id}".`,
        409,
      );
    const id = `c${String(++this.#last).padStart(6, '0')}`;
    const seen: ContainerSeen = {
      id,
      name: spec.name,
      image: spec.image,
      imageId: image.id,
      labels: spec.labels,
      phase: 'created',
      pid: 0,
      exitCode: 0,
      oomKilled: false,
      error: '',
      createdAtMs: this.#now(),
      startedAtMs: 0,
      finishedAtMs: 0,
      ip: '',
      stopSignal: spec.stopSignal ?? 'SIGTERM',
    };
    this.#held.set(id, { seen, spec, cancel: () => {} });
    this.#tell('create', seen);
    return id;
  }

  async start(id: string): Promise<void> {
    this.#reach();
    const held = this.#must(id);
    if (held.seen.phase === 'running') return;
    const program = this.#program(held.spec);
    if (program.startError !== undefined) {
      held.seen = { ...held.seen, exitCode: 127, error: program.startError };
      throw new RuntimeError('invalid', program.startError, 400);
    }
    this.starts.set(held.seen.name, (this.starts.get(held.seen.name) ?? 0) + 1);
    const ip = held.spec.host.NetworkMode.startsWith('container:') ? '' : `10.0.${this.#last >> 8}.${this.#last & 255}`;
    held.seen = { ...held.seen, phase: 'running', pid: 1000 + this.#last, startedAtMs: this.#now(), ip };
    if (program.runsMs !== undefined)
      held.cancel = this.#options.clock.after(program.runsMs, () =>
        this.#end(held, program.exitCode ?? 0, program.oomKilled === true),
      );
    this.#tell('start', held.seen);
  }

  async signal(id: string, name: string): Promise<void> {
    this.#reach();
    const held = this.#held.get(id);
    if (held?.seen.phase !== 'running') return;
    if (name === 'SIGKILL') this.#end(held, 137, false);
    else if (!this.#program(held.spec).deaf)
      this.#end(held, held.spec.labels['io.kubernetes.docker.type'] === 'podsandbox' ? 0 : 143, false);
  }

  async remove(id: string): Promise<void> {
    this.#reach();
    const held = this.#held.get(id);
    if (!held) return;
    if (held.seen.phase === 'running') this.#end(held, 137, false);
    this.#held.delete(id);
    this.#tell('destroy', held.seen);
  }

  async list(labels: Readonly<Record<string, string>>): Promise<readonly ContainerSeen[]> {
    this.#reach();
    return [...this.#held.values()].map(held => held.seen).filter(seen => matches(seen.labels, labels));
  }

  async inspect(idOrName: string): Promise<ContainerSeen | undefined> {
    this.#reach();
    return (this.#held.get(idOrName) ?? [...this.#held.values()].find(({ seen }) => seen.name === idOrName))?.seen;
  }

  async update(id: string, _resources: ResourceUpdate): Promise<void> {
    this.#reach();
    this.#must(id);
  }

  async createMemoryVolume(name: string, _sizeBytes: number, labels: Readonly<Record<string, string>>): Promise<void> {
    this.#reach();
    this.#volumes.set(name, labels);
  }

  async removeVolume(name: string): Promise<void> {
    this.#reach();
    this.#volumes.delete(name);
  }

  async volumes(labels: Readonly<Record<string, string>>): Promise<readonly string[]> {
    this.#reach();
    return [...this.#volumes].filter(([, own]) => matches(own, labels)).map(([name]) => name);
  }

  async hasNetwork(): Promise<boolean> {
    this.#reach();
    return true;
  }

  async stats(id: string): Promise<StatsSample | undefined> {
    this.#reach();
    const { seen } = this.#must(id);
    if (seen.phase !== 'running') return undefined;
    const ranMs = this.#now() - seen.startedAtMs;
    const throttling = { periods: 0, throttledPeriods: 0, throttledNanos: 0 };
    return {
      atMs: this.#now(),
      cpuNanos: ranMs * 1e4,
      memoryUsageBytes: 1 << 20,
      memoryWorkingSetBytes: 1 << 20,
      throttling,
      pids: 1,
    };
  }

  async logs(id: string, _options: LogOptions, send: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    this.#reach();
    const text = this.#program(this.#must(id).spec).log ?? '';
    await send(Uint8Array.from(text, letter => letter.charCodeAt(0)));
  }

  exec(): Promise<ExecStreams> {
    return Promise.reject(new RuntimeError('invalid', 'programs of the fake engine have no shell'));
  }

  attach(): Promise<ProcessStreams> {
    return Promise.reject(new RuntimeError('invalid', 'programs of the fake engine have no streams'));
  }

  async events(
    labels: Readonly<Record<string, string>>,
    listener: (event: RuntimeEvent) => void,
    opened: () => void,
    signal: Signal,
  ): Promise<void> {
    this.#reach();
    const tell = (event: RuntimeEvent) => {
      if (matches(event.labels, labels)) listener(event);
    };
    this.#listeners.add(tell);
    opened();
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#listeners.delete(tell);
  }

  /** An `oom` event of a container that runs on; with `flag` the engine says the same of it once it has ended. */
  outOfMemory(name: string, flag = true): void {
    const held = [...this.#held.values()].find(({ seen }) => seen.name === name)!;
    held.seen = { ...held.seen, oomKilled: flag };
    this.#tell('oom', held.seen);
  }

  #end(held: Held, exitCode: number, oomKilled: boolean): void {
    if (held.seen.phase !== 'running') return;
    held.cancel();
    held.seen = {
      ...held.seen,
      phase: 'exited',
      pid: 0,
      exitCode,
      oomKilled: oomKilled || held.seen.oomKilled,
      finishedAtMs: this.#now(),
      ip: '',
    };
    if (oomKilled) this.#tell('oom', held.seen);
    this.#tell('die', held.seen);
  }

  #tell(action: string, seen: ContainerSeen): void {
    for (const listener of [...this.#listeners])
      listener({ action, id: seen.id, labels: seen.labels, timeMs: this.#now() });
  }

  #program(spec: ContainerSpec): Program {
    if (spec.labels['io.kubernetes.docker.type'] === 'podsandbox') return {};
    return this.#options.program?.(spec) ?? {};
  }

  #must(id: string): Held {
    const held = this.#held.get(id);
    if (!held) throw new RuntimeError('notFound', `No such container: ${id}`, 404);
    return held;
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #reach(): void {
    if (this.outage !== undefined) throw new RuntimeError('unavailable', this.outage);
  }
}

const matches = (own: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([key, value]) => own[key] === value);
