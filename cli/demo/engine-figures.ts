/** What the Docker Engine itself says about the demo's containers: usage, throttling, weights. Read only. */
import { readFileSync } from 'node:fs';
import { type EngineApi, engineJson } from '#setup/engine-api.ts';
import type { Window } from './verdicts.ts';

interface Stats {
  readonly read: string;
  readonly cpu_stats: {
    readonly cpu_usage: { readonly total_usage: number };
    readonly throttling_data?: {
      readonly periods: number;
      readonly throttled_periods: number;
      readonly throttled_time: number;
    };
  };
}

const statsOf = (engine: EngineApi, id: string): Promise<Stats> =>
  engineJson<Stats>(engine, 'GET', `/containers/${id}/stats?stream=false&one-shot=true`);

/** Usage of containers over about `windowMs`, all over the same window; times are the engine's own. */
export const measure = async (
  engine: EngineApi,
  ids: readonly string[],
  wait: () => Promise<void>,
): Promise<readonly Window[]> => {
  const before = await Promise.all(ids.map(id => statsOf(engine, id)));
  await wait();
  const after = await Promise.all(ids.map(id => statsOf(engine, id)));
  return after.map((stats, i) => windowOf(before[i]!, stats));
};

const windowOf = (before: Stats, after: Stats): Window => {
  const [a, b] = [before.cpu_stats, after.cpu_stats];
  const throttled = (pick: 'periods' | 'throttled_periods' | 'throttled_time') =>
    (b.throttling_data?.[pick] ?? 0) - (a.throttling_data?.[pick] ?? 0);
  return {
    seconds: (Date.parse(after.read) - Date.parse(before.read)) / 1000,
    cpuSeconds: (b.cpu_usage.total_usage - a.cpu_usage.total_usage) / 1e9,
    periods: throttled('periods'),
    throttledPeriods: throttled('throttled_periods'),
    throttledSeconds: throttled('throttled_time') / 1e9,
  };
};

/** A container's CPU weight and its place in the kernel's order of victims. */
export const weightOf = async (engine: EngineApi, id: string): Promise<{ cpuShares: number; oomScoreAdj: number }> => {
  const { HostConfig, State } = await engineJson<{
    HostConfig: { CpuShares: number; OomScoreAdj: number };
    State: { Pid: number };
  }>(engine, 'GET', `/containers/${id}/json`);
  return { cpuShares: HostConfig.CpuShares, oomScoreAdj: oomScoreOf(State.Pid) ?? HostConfig.OomScoreAdj };
};

/** As the kernel has it, where the engine is on this machine; what was asked for counts elsewhere. */
const oomScoreOf = (pid: number): number | undefined => {
  try {
    return Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
  } catch {
    return undefined;
  }
};
