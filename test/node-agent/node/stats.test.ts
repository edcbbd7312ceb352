/** Usage from the engine's stats endpoint: each round samples every container, however slow or failing some answers are. */
import { expect, test } from 'vitest';
import { label } from '#agent/names.ts';
import { Sampler } from '#agent/node/stats.ts';
import { type ContainerRuntime, type ContainerSeen, RuntimeError } from '#agent/runtime.ts';
import type { VirtualClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { virtualClock } from '#test/virtual.ts';
import { fakeMachine } from '../fake-machine.ts';

const containers = Array.from({ length: 100 }, (_, i) => {
  const labels = {
    [label.podUid]: `uid-${i}`,
    [label.podName]: `p${i}`,
    [label.podNamespace]: 'default',
    [label.containerName]: 'app',
  };
  return { id: `c${i}`, labels, phase: 'running', pid: i + 1, startedAtMs: 0 } as unknown as ContainerSeen;
});

/** A sampler of an engine whose every answer takes that long and uses 1 % of a core, but for those that `fail` throws for. */
const samplerOf = (clock: VirtualClock, answerMs: number, fail: (id: string) => void = () => {}) => {
  const asked: string[] = [];
  const runtime = {
    stats: async (id: string) => {
      asked.push(id);
      await clock.sleep(answerMs);
      fail(id);
      const throttling = { periods: 0, throttledPeriods: 0, throttledNanos: 0 };
      const atMs = clock.now();
      return { atMs, cpuNanos: atMs * 1e4, memoryUsageBytes: 1, memoryWorkingSetBytes: 1, throttling, pids: 1 };
    },
  } as unknown as ContainerRuntime;
  const sampler = new Sampler({
    runtime,
    machine: fakeMachine(),
    clock,
    log: silentLog,
    node: 'n1',
    source: 'engine',
    group: undefined,
    wholeMachine: false,
    running: () => containers,
    oomKills: () => 0,
  });
  return { sampler, asked };
};

/** Takes a sample and tells how long it took. */
const timed = async (clock: VirtualClock, sampler: Sampler): Promise<number> => {
  const begunMs = clock.now();
  const done = sampler.sample();
  let ended = false;
  const end = done.then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
  while (!ended) await clock.advance(50);
  await end;
  await done;
  return clock.now() - begunMs;
};

test('an old engine that takes a second for each answer is asked for many at once, from the first round on', async () => {
  const clock = virtualClock();
  const { sampler, asked } = samplerOf(clock, 1000);
  expect(await timed(clock, sampler)).toBeLessThanOrEqual(4000);
  expect(await timed(clock, sampler)).toBeLessThanOrEqual(2100);
  expect(asked).toHaveLength(200);
  expect(sampler.usage()?.pods).toHaveLength(100);
  expect(sampler.usage()!.pods[0]!.containers[0]!.cpuNanoCores).toBe(10_000_000);
});

test('a container whose stats cannot be read costs only its own sample', async () => {
  const clock = virtualClock();
  const { sampler } = samplerOf(clock, 5, id => {
    if (id === 'c3') throw new RuntimeError('other', 'broken');
  });
  await expect(timed(clock, sampler)).rejects.toThrow('broken');
  await expect(timed(clock, sampler)).rejects.toThrow('broken');
  const names = sampler.usage()!.pods.map(pod => pod.name);
  expect(names).toHaveLength(99);
  expect(names).not.toContain('p3');
});

test('an engine that went away is not asked for the rest', async () => {
  const clock = virtualClock();
  const { sampler, asked } = samplerOf(clock, 5, () => {
    throw new RuntimeError('unavailable', 'gone');
  });
  await expect(timed(clock, sampler)).rejects.toThrow('gone');
  expect(asked.length).toBeLessThan(10);
});
