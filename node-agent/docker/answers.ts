/** The Engine API's answers as the agent's own shapes; pure. Fields that API 1.52 dropped are not read. */
import {
  type ContainerPhase,
  type ContainerSeen,
  type EngineInfo,
  type ImageFound,
  RuntimeError,
  type StatsSample,
} from '../runtime.ts';

/** What is read of GET /containers/{id}/json. */
export interface InspectAnswer {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
  readonly Image: string;
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
  readonly Config: {
    readonly Image: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly StopSignal?: string;
  };
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string } | null>> | null;
  };
}

/** Milliseconds of the engine's RFC 3339 times; its zero time (year 1) is 0. */
export const timeOf = (text: string | undefined): number => {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) || ms < 0 ? 0 : ms;
};

const phases: Readonly<Record<string, ContainerPhase>> = {
  created: 'created',
  running: 'running',
  paused: 'running',
  restarting: 'running',
  removing: 'exited',
  exited: 'exited',
  dead: 'exited',
};

export const toContainer = (answer: InspectAnswer): ContainerSeen => {
  const { State: state, Config: config } = answer;
  const networks = Object.values(answer.NetworkSettings?.Networks ?? {});
  const phase = phases[state.Status] ?? 'exited';
  const startedAtMs = timeOf(state.StartedAt);
  const finishedAtMs = timeOf(state.FinishedAt);
  return {
    id: answer.Id,
    name: answer.Name.replace(/^\//, ''),
    image: config.Image,
    imageId: answer.Image,
    labels: config.Labels ?? {},
    phase,
    pid: state.Pid,
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    error: state.Error,
    createdAtMs: timeOf(answer.Created),
    startedAtMs,
    // The engine notes the start when it has heard of it: a process of a few milliseconds has ended before that.
    finishedAtMs: phase === 'exited' && finishedAtMs > 0 ? Math.max(startedAtMs, finishedAtMs) : finishedAtMs,
    ip: networks.find(network => network?.IPAddress)?.IPAddress ?? '',
    stopSignal: config.StopSignal || 'SIGTERM',
  };
};

interface InfoAnswer {
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly CgroupVersion?: string;
  readonly CgroupDriver?: string;
  readonly ServerVersion: string;
  readonly KernelVersion: string;
  readonly OperatingSystem: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly DockerRootDir: string;
  readonly ID: string;
  readonly LiveRestoreEnabled: boolean;
}

const architectures: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  i686: '386',
};

export const toInfo = (answer: InfoAnswer, apiVersion: string): EngineInfo => {
  const driver = answer.CgroupDriver;
  return {
    cpus: answer.NCPU,
    memoryBytes: answer.MemTotal,
    cgroupVersion: answer.CgroupVersion === '2' ? '2' : '1',
    cgroupDriver: driver === 'systemd' || driver === 'cgroupfs' ? driver : 'none',
    serverVersion: answer.ServerVersion,
    apiVersion,
    kernelVersion: answer.KernelVersion,
    operatingSystem: answer.OperatingSystem,
    osType: answer.OSType,
    architecture: architectures[answer.Architecture] ?? answer.Architecture,
    rootDirectory: answer.DockerRootDir,
    id: answer.ID,
    liveRestore: answer.LiveRestoreEnabled,
  };
};

export const toImage = (answer: {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Size: number;
  readonly Config?: { readonly User?: string } | null;
}): ImageFound => ({
  id: answer.Id,
  tags: (answer.RepoTags ?? []).filter(tag => tag !== '<none>:<none>'),
  digests: (answer.RepoDigests ?? []).filter(digest => !digest.startsWith('<none>')),
  sizeBytes: answer.Size,
  user: answer.Config?.User ?? '',
});

/** What is read of GET /containers/{id}/stats. */
export interface StatsAnswer {
  readonly read: string;
  readonly cpu_stats?: {
    readonly cpu_usage: { readonly total_usage: number };
    readonly throttling_data?: {
      readonly periods: number;
      readonly throttled_periods: number;
      readonly throttled_time: number;
    };
  };
  readonly memory_stats?: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
  readonly pids_stats?: { readonly current?: number };
}

/** Undefined for the zero or shortened body that the engine gives of a container which does not run (any more). */
export const toSample = (answer: StatsAnswer): StatsSample | undefined => {
  const atMs = timeOf(answer.read);
  const usage = answer.memory_stats?.usage;
  if (atMs === 0 || usage === undefined || answer.cpu_stats === undefined) return undefined;
  const stats = answer.memory_stats?.stats ?? {};
  const inactive = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0;
  const throttling = answer.cpu_stats.throttling_data;
  return {
    atMs,
    cpuNanos: answer.cpu_stats.cpu_usage.total_usage,
    memoryUsageBytes: usage,
    memoryWorkingSetBytes: Math.max(0, usage - inactive),
    throttling: {
      periods: throttling?.periods ?? 0,
      throttledPeriods: throttling?.throttled_periods ?? 0,
      throttledNanos: throttling?.throttled_time ?? 0,
    },
    pids: answer.pids_stats?.current ?? 0,
  };
};

/** The failure that a pull reports inside its progress stream, if the line is one. */
export const pullFailure = (line: unknown): RuntimeError | undefined => {
  const { error, errorDetail } = (line ?? {}) as { error?: unknown; errorDetail?: { message?: unknown } };
  const message = errorDetail?.message ?? error;
  return message === undefined ? undefined : new RuntimeError('other', String(message).trim());
};
