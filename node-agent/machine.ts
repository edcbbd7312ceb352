/**
 * What the agent needs from its machine beside the engine, as interfaces: files of volumes, the cgroup tree, addresses.
 * host/ has the real ones; tests and simulation give their own.
 */
import type { Throttling } from './runtime.ts';

export type Content = { readonly text: string } | { readonly base64: string };

export interface VolumeFile {
  /** Relative, without `..`. */
  readonly path: string;
  readonly content: Content;
  /** Permission bits. */
  readonly mode: number;
}

/** Failures are Errors whose message names the path and the cause (`no space left on device`). */
export interface Files {
  makeDirectory(path: string, options?: { readonly mode?: number; readonly group?: number }): Promise<void>;
  /**
   * Makes the directory hold exactly these files, all at once for a reader (symbolic link swapped), and says whether
   * anything changed.
   */
  writeVolume(directory: string, files: readonly VolumeFile[], group?: number): Promise<boolean>;
  writeFile(path: string, text: string, mode: number): Promise<void>;
  /** The first `maxBytes` of a file as text; empty when there is none. */
  readText(path: string, maxBytes: number): Promise<string>;
  /** Checks or makes what a hostPath volume names; the fault in words, or undefined. */
  prepareHostPath(path: string, type: string): Promise<string | undefined>;
  /** Makes sure that `inside` exists below `root` and does not lead out of it; gives its path. */
  resolveInside(root: string, inside: string, options: { readonly create: boolean }): Promise<string>;
  /** Removes a tree; an absent one is fine. */
  remove(path: string): Promise<void>;
  list(directory: string): Promise<readonly string[]>;
  /** Share of the file system below `path` that is in use, 0 to 1, and its size. */
  fileSystem(path: string): Promise<{ readonly capacityBytes: number; readonly availableBytes: number }>;
  decodeBase64(text: string): string;
  decodeText(bytes: Uint8Array): string;
}

export interface CgroupLimits {
  readonly cpuShares?: number;
  /** Microseconds per 100 ms; absent: unlimited. */
  readonly cpuQuotaMicros?: number;
  readonly memoryBytes?: number;
  /** Nothing of it is swapped out, also without a limit of memory, which version 1 needs for that. */
  readonly noSwap?: boolean;
}

export interface OomEvidence {
  /** Kills in the subtree since it was made (cgroup v2 only). */
  readonly kills: number;
  /** How often memory was refused at a limit within the subtree since it was made (cgroup v2 only). */
  readonly limitHits: number;
  /** Highest memory use since the last reset (cgroup v1 only). */
  readonly peakBytes: number;
}

export interface CgroupUsage {
  readonly atMs: number;
  readonly cpuNanos: number;
  readonly memoryUsageBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly throttling: Throttling;
  readonly pids: number;
  /** Processes killed for want of memory since the group was made; undefined where the kernel does not count them. */
  readonly oomKills: number | undefined;
}

/** A place in the tree below the agent's root: `['cluster', 'node', 'pod uid']`. */
export type CgroupPath = readonly string[];

export interface Cgroups {
  /** Why nothing can be written, or undefined where it can: then the share of a node is really enforced. */
  readonly unwritable: string | undefined;
  readonly version: '1' | '2';
  /** The engine's CgroupParent for containers below the path. */
  parentOf(path: CgroupPath): string;
  /** Makes the group (and those above) and sets its limits; missing ones are lifted. */
  apply(path: CgroupPath, limits: CgroupLimits): Promise<void>;
  /** Starts a new observation of memory: a later `evidence` is about what follows. */
  resetPeak(path: CgroupPath): Promise<void>;
  evidence(path: CgroupPath): Promise<OomEvidence>;
  usage(path: CgroupPath): UsageReader | undefined;
  /** Removes the group and all below it; fails while a process is in one. */
  remove(path: CgroupPath): Promise<void>;
  /** Removes the group if nothing at all is in it, and those above likewise. */
  prune(path: CgroupPath): Promise<void>;
  /** Names of the groups right below. */
  children(path: CgroupPath): Promise<readonly string[]>;
}

/** Reads the counters of one group again and again, cheaply; `undefined` when the group is gone. */
export interface UsageReader {
  read(): CgroupUsage | undefined;
  close(): void;
}

export interface HostFacts {
  readonly hostname: string;
  /** The address that other machines reach this one by. */
  readonly address: string;
  readonly machineId: string;
  readonly bootId: string;
  readonly systemUuid: string;
}

/** The machine as a whole. */
export interface Machine {
  readonly files: Files;
  readonly cgroups: Cgroups;
  facts(): Promise<HostFacts>;
  /** Busy CPU time of all CPUs and memory in use without what can be reclaimed; undefined where it cannot be read. */
  usage(): { readonly cpuNanos: number; readonly memoryWorkingSetBytes: number } | undefined;
  /**
   * Counters of the container that has this process, by kept-open files; undefined where they cannot be read, also
   * when the process of that number, as the agent sees it, is not in the container (another process namespace).
   */
  containerUsage(pid: number, containerId: string): UsageReader | undefined;
  /**
   * Lets an OOM kill in the container that has this process end all its processes (`memory.oom.group`); gives the fault
   * where that fails. Does nothing on cgroup v1, which has no such thing.
   */
  groupOomKills(pid: number, containerId: string): string | undefined;
  /** An HTTP GET as probes and hooks make it; status 0 and a text when there is no answer. */
  httpGet(request: HttpGet): Promise<{ readonly status: number; readonly body: string; readonly error?: string }>;
  /** Undefined when the port accepts a connection, else the fault. */
  connect(host: string, port: number, timeoutMs: number): Promise<string | undefined>;
}

export interface HttpGet {
  readonly scheme: 'HTTP' | 'HTTPS';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly timeoutMs: number;
}
