/**
 * What the agent needs from a container engine, in the engine's own terms and nothing of Kubernetes. Every call is
 * idempotent where the engine lets it be (starting a running container, removing an absent one), so the pod worker may
 * repeat any of them. Two implementations: docker/engine.ts and, for tests and simulation, a fake; one contract suite
 * (test/node-agent/runtime-contract.ts) runs against both.
 */
import type { Signal } from '#base/clock.ts';

export type RuntimeFault =
  /** The engine does not answer: wait for it, nothing else is wrong. */
  | 'unavailable'
  | 'notFound'
  | 'conflict'
  /** The engine understood and refuses: the same request will fail again. */
  | 'invalid'
  | 'noSpace'
  | 'other';

export class RuntimeError extends Error {
  override name = 'RuntimeError';
  readonly fault: RuntimeFault;
  /** HTTP status, or 0 where there was none. */
  readonly code: number;

  constructor(fault: RuntimeFault, message: string, code = 0) {
    super(message);
    this.fault = fault;
    this.code = code;
  }
}

export const isFault = (error: unknown, fault: RuntimeFault): error is RuntimeError =>
  error instanceof RuntimeError && error.fault === fault;

/** The engine as it describes itself. */
export interface EngineInfo {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly cgroupVersion: '1' | '2';
  readonly cgroupDriver: 'cgroupfs' | 'systemd' | 'none';
  readonly serverVersion: string;
  readonly apiVersion: string;
  readonly kernelVersion: string;
  readonly operatingSystem: string;
  readonly osType: string;
  /** As Go names it: amd64, arm64. */
  readonly architecture: string;
  readonly rootDirectory: string;
  readonly id: string;
  readonly liveRestore: boolean;
}

export interface ImageFound {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  /** `USER` of the image: name, uid, or `uid:gid`; empty: root. */
  readonly user: string;
}

export interface PortBinding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

export interface EngineMount {
  readonly Type: 'bind' | 'volume' | 'tmpfs';
  readonly Source?: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
  readonly BindOptions?: { readonly Propagation?: 'private' | 'rprivate' | 'rslave' | 'rshared' };
}

/** The part of the Engine API's HostConfig that Berth sets; names and units are the engine's. */
export interface HostConfig {
  readonly NetworkMode: string;
  readonly IpcMode?: string;
  readonly PidMode?: string;
  readonly CgroupParent?: string;
  readonly CpuShares?: number;
  readonly NanoCpus?: number;
  readonly CpuPeriod?: number;
  readonly CpuQuota?: number;
  readonly Memory?: number;
  readonly MemorySwap?: number;
  readonly OomScoreAdj?: number;
  readonly PidsLimit?: number;
  readonly Mounts?: readonly EngineMount[];
  readonly PortBindings?: Readonly<Record<string, readonly PortBinding[]>>;
  readonly ExtraHosts?: readonly string[];
  readonly Dns?: readonly string[];
  readonly DnsSearch?: readonly string[];
  readonly DnsOptions?: readonly string[];
  readonly Sysctls?: Readonly<Record<string, string>>;
  readonly Privileged?: boolean;
  readonly CapAdd?: readonly string[];
  readonly CapDrop?: readonly string[];
  readonly GroupAdd?: readonly string[];
  readonly SecurityOpt?: readonly string[];
  readonly ReadonlyRootfs?: boolean;
  readonly LogConfig?: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
}

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Replaces the image's ENTRYPOINT; absent: the image's. */
  readonly entrypoint?: readonly string[];
  /** Replaces the image's CMD; absent: the image's, unless `entrypoint` is given. */
  readonly command?: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly workingDir?: string;
  /** `uid` or `uid:gid`. */
  readonly user?: string;
  readonly hostname?: string;
  readonly exposedPorts?: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly stopSignal?: string;
  readonly host: HostConfig;
}

export type ContainerPhase = 'created' | 'running' | 'exited';

/** One container as the engine shows it. Times are milliseconds since the epoch, 0 where there is none. */
export interface ContainerSeen {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly phase: ContainerPhase;
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Why a start failed; empty otherwise. */
  readonly error: string;
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  /** Of the container's own network; empty when it joined another's or does not run. */
  readonly ip: string;
  /** Signal that asks the main process to end. */
  readonly stopSignal: string;
}

export interface ResourceUpdate {
  readonly CpuShares?: number;
  readonly NanoCpus?: number;
  readonly CpuPeriod?: number;
  readonly CpuQuota?: number;
  readonly Memory?: number;
  readonly MemorySwap?: number;
  readonly PidsLimit?: number;
}

export interface RuntimeEvent {
  readonly action: string;
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly timeMs: number;
}

/** Cumulative counters of one running container at one instant of the engine's clock. */
export interface StatsSample {
  readonly atMs: number;
  readonly cpuNanos: number;
  readonly memoryUsageBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly throttling: Throttling;
  readonly pids: number;
}

/** CFS bandwidth counters since the start of the container (nanoseconds add up over CPUs). */
export interface Throttling {
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledNanos: number;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly sinceMs?: number;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface StreamOptions {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface ExecOptions extends StreamOptions {
  readonly command: readonly string[];
}

export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** A live connection to a process's standard streams. */
export interface ProcessStreams {
  /** Ends when the process has closed its output. */
  readonly output: AsyncIterable<OutputChunk>;
  /** Resolves when more may be written. */
  write(bytes: Uint8Array): Promise<void>;
  /** End of input, where the process's streams can say it (a terminal gets Ctrl-D). */
  endInput(): void;
  resize(columns: number, rows: number): Promise<void>;
  /** Lets go of the streams; an attached container lives on. */
  close(): void;
}

export interface ExecStreams extends ProcessStreams {
  /** After the output ended; undefined when the process still runs. */
  exitCode(): Promise<number | undefined>;
  /** Process id on the engine's host, 0 when unknown. */
  pid(): Promise<number>;
}

export interface ContainerRuntime {
  /** Short name for container ids in status: `docker`. */
  readonly name: string;
  info(): Promise<EngineInfo>;
  ping(): Promise<void>;

  images(): Promise<readonly ImageFound[]>;
  image(reference: string): Promise<ImageFound | undefined>;
  pullImage(reference: string, signal: Signal): Promise<void>;
  /** Makes an image of a root file system (tar). */
  importImage(repository: string, tag: string, tar: Uint8Array, changes: readonly string[]): Promise<void>;

  /** The new container's id; fault `conflict` when the name is taken, `notFound` without the image. */
  create(spec: ContainerSpec): Promise<string>;
  start(id: string): Promise<void>;
  /** Sends a signal by name (`SIGTERM`); nothing happens when the container does not run. */
  signal(id: string, name: string): Promise<void>;
  /** Removes the container, running or not. */
  remove(id: string): Promise<void>;
  /** All containers with these labels, running or not. */
  list(labels: Readonly<Record<string, string>>): Promise<readonly ContainerSeen[]>;
  inspect(idOrName: string): Promise<ContainerSeen | undefined>;
  update(id: string, resources: ResourceUpdate): Promise<void>;

  /** A volume of memory that containers can share: lives while one of them has it mounted. */
  createMemoryVolume(name: string, sizeBytes: number, labels: Readonly<Record<string, string>>): Promise<void>;
  removeVolume(name: string): Promise<void>;
  volumes(labels: Readonly<Record<string, string>>): Promise<readonly string[]>;
  hasNetwork(name: string): Promise<boolean>;

  /** Undefined when the container does not run. */
  stats(id: string): Promise<StatsSample | undefined>;
  /** Sends log bytes to the end, or with follow until the container ends or `signal` aborts. */
  logs(id: string, options: LogOptions, send: (chunk: Uint8Array) => Promise<void>, signal: Signal): Promise<void>;
  exec(id: string, options: ExecOptions): Promise<ExecStreams>;
  attach(id: string, options: StreamOptions): Promise<ProcessStreams>;
  /**
   * Calls `listener` with each event of containers with these labels, and `opened` once nothing can be missed any
   * more. Resolves when `signal` aborts or the engine ends the stream; never replays the past.
   */
  events(
    labels: Readonly<Record<string, string>>,
    listener: (event: RuntimeEvent) => void,
    opened: () => void,
    signal: Signal,
  ): Promise<void>;
}
