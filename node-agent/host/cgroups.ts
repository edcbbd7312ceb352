/**
 * The agent's part of the cgroup tree, `/berth/<cluster>/<node>/<pod>[/<container>]`, on version 1 and 2. Whether it
 * may be written is found out by doing it. With the systemd driver the engine takes only names of slices, whose limits
 * belong to systemd: they are set with systemctl where there is one.
 */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { CgroupLimits, CgroupPath, Cgroups, OomEvidence } from '../machine.ts';
import type { EngineInfo } from '../runtime.ts';
import { openUsage } from './cgroup-usage.ts';
import { counterOf } from './kept-file.ts';

const run = promisify(execFile);
const controllers = ['cpu', 'cpuacct', 'memory', 'pids'] as const;
const root = 'berth';
const periodMicros = 100_000;
const noLimitV1 = '-1';

export interface CgroupOptions {
  readonly version: EngineInfo['cgroupVersion'];
  readonly driver: EngineInfo['cgroupDriver'];
  /** Where the machine's cgroup file systems are mounted: `/sys/fs/cgroup`, or a bind mount of it in a container. */
  readonly mount: string;
}

const readText = (file: string): string => {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return ''; // a group that is gone has no numbers
  }
};

/** Shares to weight as runc 1.1 and older kubelets convert them (SEMANTICS D.1). */
export const weightOf = (shares: number): number => 1 + Math.floor(((shares - 2) * 9999) / 262_142);

/** `berth-a-b.slice` lies in `berth-a.slice`: dashes nest, so they cannot be in a part. */
export const sliceName = (parts: readonly string[]): string =>
  `${[root, ...parts].map(part => part.replaceAll(/[^A-Za-z0-9:_.]/g, '_')).join('-')}.slice`;

/** Where systemd has the slice, below the mount of a hierarchy. */
export const slicePath = (parts: readonly string[]): string =>
  path.join(...[sliceName([]), ...parts.map((_, i) => sliceName(parts.slice(0, i + 1)))]);

/** The last part of the path that a slice right below `parts` stands for: pod uids, which have no `_`. */
export const childOfSlice = (parts: readonly string[], name: string): readonly string[] => {
  const before = sliceName(parts)
    .replace(/slice$/, '')
    .replace(/\.$/, '-');
  if (!name.startsWith(before) || !name.endsWith('.slice')) return [];
  return [name.slice(before.length, -'.slice'.length).replaceAll('_', '-')];
};

/** What systemctl is told for a group: limits until the next boot, then the slice itself, which exists only once started. */
export const sliceCommands = (
  parts: readonly string[],
  limits: CgroupLimits,
): readonly (readonly [string, ...string[]])[] => {
  const percent = limits.cpuQuotaMicros === undefined ? '' : `${(limits.cpuQuotaMicros * 100) / periodMicros}%`;
  const properties = [
    `CPUQuota=${percent}`,
    `MemoryMax=${limits.memoryBytes ?? 'infinity'}`,
    `MemorySwapMax=${maySwap(limits) ? 'infinity' : '0'}`,
    ...(limits.cpuShares === undefined ? [] : [`CPUWeight=${weightOf(limits.cpuShares)}`]),
  ];
  const slice = sliceName(parts);
  return [
    ['set-property', '--runtime', slice, ...properties],
    ['start', slice],
  ];
};

const systemctl = async (commands: readonly (readonly string[])[]): Promise<void> => {
  for (const command of commands) await run('systemctl', command);
};

/** Without this its limits would stay in /run until the next boot. */
const forgetSlice = async (parts: CgroupPath): Promise<void> => {
  const slice = sliceName(parts);
  for (const command of ['stop', 'revert'])
    await run('systemctl', [command, slice]).catch(() => {
      // A slice that systemd does not know has nothing to forget; what is left of its group is removed after this.
    });
};

/** A limit of memory is one of memory and swap together, as with the engine's MemorySwap = Memory. */
const maySwap = (limits: CgroupLimits): boolean => limits.memoryBytes === undefined && limits.noSwap !== true;

export const openCgroups = (options: CgroupOptions): Cgroups => {
  const { version, mount } = options;
  const isSystemd = options.driver === 'systemd';
  const relative = isSystemd ? slicePath : (parts: CgroupPath): string => path.join(root, ...parts);
  const directory = (parts: CgroupPath, controller: string): string =>
    version === '1' ? path.join(mount, controller, relative(parts)) : path.join(mount, relative(parts));

  const writeV1 = (parts: CgroupPath, limits: CgroupLimits): void => {
    const put = (controller: string, file: string, value: string) =>
      fs.writeFileSync(path.join(directory(parts, controller), file), value);
    if (limits.cpuShares !== undefined) put('cpu', 'cpu.shares', String(limits.cpuShares));
    const quota = limits.cpuQuotaMicros === undefined ? noLimitV1 : String(limits.cpuQuotaMicros);
    if (readText(path.join(directory(parts, 'cpu'), 'cpu.cfs_quota_us')).trim() !== quota) {
      put('cpu', 'cpu.cfs_period_us', String(periodMicros));
      put('cpu', 'cpu.cfs_quota_us', quota);
    }
    setMemoryV1(directory(parts, 'memory'), limits.memoryBytes);
  };

  const writeV2 = (parts: CgroupPath, limits: CgroupLimits): void => {
    const at = directory(parts, '');
    const put = (file: string, value: string) => fs.writeFileSync(path.join(at, file), value);
    if (limits.cpuShares !== undefined) put('cpu.weight', String(weightOf(limits.cpuShares)));
    put('cpu.max', `${limits.cpuQuotaMicros ?? 'max'} ${periodMicros}`);
    put('memory.max', String(limits.memoryBytes ?? 'max'));
    if (fs.existsSync(path.join(at, 'memory.swap.max'))) put('memory.swap.max', maySwap(limits) ? 'max' : '0');
  };

  const make = (parts: CgroupPath): void => {
    if (version === '1') {
      for (const controller of controllers) fs.mkdirSync(directory(parts, controller), { recursive: true });
      return;
    }
    // A controller must be handed down at every level before a group below can have it.
    for (let depth = -1; depth < parts.length; depth++) {
      const above = depth < 0 ? mount : directory(parts.slice(0, depth), '');
      fs.mkdirSync(directory(parts.slice(0, depth + 1), ''), { recursive: true });
      fs.writeFileSync(path.join(above, 'cgroup.subtree_control'), '+cpu +memory +pids');
    }
    fs.writeFileSync(path.join(directory(parts, ''), 'cgroup.subtree_control'), '+cpu +memory +pids');
  };

  const removeTree = (at: string): void => {
    if (!fs.existsSync(at)) return;
    for (const entry of fs.readdirSync(at, { withFileTypes: true }))
      if (entry.isDirectory()) removeTree(path.join(at, entry.name));
    fs.rmdirSync(at);
  };
  const allDirectories = (parts: CgroupPath): readonly string[] =>
    version === '2'
      ? [directory(parts, '')]
      : [...new Set([...fs.readdirSync(mount)].map(controller => directory(parts, controller)))];

  return {
    version,
    unwritable: whyUnwritable(options, () => make([])),
    parentOf: parts => (isSystemd ? sliceName(parts) : `/${path.join(root, ...parts)}`),
    apply: async (parts, limits) => {
      if (isSystemd) return systemctl(sliceCommands(parts, limits));
      make(parts);
      if (version === '1') writeV1(parts, limits);
      else writeV2(parts, limits);
    },
    resetPeak: async parts => {
      if (version === '1') fs.writeFileSync(path.join(directory(parts, 'memory'), 'memory.max_usage_in_bytes'), '0');
    },
    evidence: async (parts): Promise<OomEvidence> => {
      if (version === '1') {
        const peak = readText(path.join(directory(parts, 'memory'), 'memory.max_usage_in_bytes'));
        return { kills: 0, limitHits: 0, peakBytes: Number(peak) };
      }
      const events = readText(path.join(directory(parts, ''), 'memory.events'));
      return { kills: counterOf(events, 'oom_kill'), limitHits: counterOf(events, 'oom'), peakBytes: 0 };
    },
    usage: parts => openUsage(version, controller => directory(parts, controller)),
    remove: async parts => {
      if (isSystemd) await forgetSlice(parts);
      for (const at of allDirectories(parts)) removeTree(at);
    },
    prune: async parts => {
      for (let depth = parts.length; depth >= 0; depth--)
        for (const at of allDirectories(parts.slice(0, depth))) removeEmpty(at);
    },
    children: async parts => {
      const at = directory(parts, 'memory');
      if (!fs.existsSync(at)) return [];
      return fs
        .readdirSync(at, { withFileTypes: true })
        .filter(entry => entry.isDirectory())
        .flatMap(entry => (isSystemd ? childOfSlice(parts, entry.name) : [entry.name]));
    },
  };
};

/** A group that has members or children stays: another agent uses it. So does one of another user's agent. */
const removeEmpty = (at: string): void => {
  try {
    fs.rmdirSync(at);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EBUSY', 'EACCES', 'EPERM'].includes(String((error as { code?: unknown }).code)))
      throw error;
  }
};

/** Both limits move together, and each must be above the other at every moment: raise memsw first, lower memory first. */
const setMemoryV1 = (at: string, bytes: number | undefined): void => {
  const limit = path.join(at, 'memory.limit_in_bytes');
  const withSwap = path.join(at, 'memory.memsw.limit_in_bytes');
  const files = fs.existsSync(withSwap) ? [limit, withSwap] : [limit];
  const isRaise = bytes === undefined || Number(readText(limit)) < bytes;
  for (const file of isRaise ? files.reverse() : files) fs.writeFileSync(file, String(bytes ?? noLimitV1));
};

const whyUnwritable = (options: CgroupOptions, tryToMake: () => void): string | undefined => {
  if (options.driver === 'none') return 'the engine manages no cgroups';
  if (options.driver === 'systemd')
    return fs.existsSync('/run/systemd/system')
      ? undefined
      : 'the engine uses the systemd cgroup driver and the agent sees no systemd';
  try {
    tryToMake();
    return undefined;
  } catch (error) {
    return `cannot write ${options.mount}: ${(error as Error).message}`;
  }
};
