/** Usage counters of a cgroup, version 1 (one directory per controller) or 2, through kept-open files. */
import type { CgroupUsage, UsageReader } from '../machine.ts';
import { counterOf, KeptFile } from './kept-file.ts';

/** The directory of a controller; version 2 has one for all. */
export type DirectoryOf = (controller: 'cpu' | 'cpuacct' | 'memory' | 'pids') => string;

const filesOf = {
  1: (at: DirectoryOf) => ({
    cpu: `${at('cpuacct')}/cpuacct.usage`,
    throttling: `${at('cpu')}/cpu.stat`,
    memory: `${at('memory')}/memory.usage_in_bytes`,
    memoryStat: `${at('memory')}/memory.stat`,
    pids: `${at('pids')}/pids.current`,
    oom: `${at('memory')}/memory.oom_control`,
  }),
  2: (at: DirectoryOf) => ({
    cpu: `${at('cpu')}/cpu.stat`,
    throttling: `${at('cpu')}/cpu.stat`,
    memory: `${at('memory')}/memory.current`,
    memoryStat: `${at('memory')}/memory.stat`,
    pids: `${at('pids')}/pids.current`,
    oom: `${at('memory')}/memory.events`,
  }),
} as const;

/** Kernels before 4.13 do not count on version 1. */
const killsOf = (text: string | undefined): number | undefined =>
  text?.includes('oom_kill ') ? counterOf(text, 'oom_kill') : undefined;

/** A reader, or undefined where the files are not there. */
export const openUsage = (version: '1' | '2', at: DirectoryOf): UsageReader | undefined => {
  const paths = filesOf[version](at);
  const names = Object.keys(paths) as (keyof typeof paths)[];
  const files = new Map(names.map(name => [name, KeptFile.open(paths[name])]));
  const close = () => {
    for (const file of files.values()) file?.close();
  };
  if (!files.get('cpu') || !files.get('memory') || !files.get('memoryStat')) {
    close();
    return undefined;
  }
  const text = (name: keyof typeof paths): string | undefined => files.get(name)?.read();
  const read = (): CgroupUsage | undefined => {
    const atMs = Date.now();
    const [cpu, memory, memoryStat] = [text('cpu'), text('memory'), text('memoryStat')];
    if (cpu === undefined || memory === undefined || memoryStat === undefined) return undefined;
    const usage = Number(memory);
    const inactive = counterOf(memoryStat, version === '1' ? 'total_inactive_file' : 'inactive_file');
    const throttling = text('throttling') ?? '';
    return {
      atMs,
      cpuNanos: version === '1' ? Number(cpu) : counterOf(cpu, 'usage_usec') * 1000,
      memoryUsageBytes: usage,
      memoryWorkingSetBytes: Math.max(0, usage - inactive),
      throttling: {
        periods: counterOf(throttling, 'nr_periods'),
        throttledPeriods: counterOf(throttling, 'nr_throttled'),
        throttledNanos:
          version === '1' ? counterOf(throttling, 'throttled_time') : counterOf(throttling, 'throttled_usec') * 1000,
      },
      pids: Number(text('pids') ?? 0),
      oomKills: killsOf(text('oom')),
    };
  };
  return { read, close };
};
