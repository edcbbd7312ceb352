import { expect, test } from 'vitest';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createStop } from '#base/stop.ts';
import { supervise } from '#base/supervise.ts';
import { virtualClock } from '#test/virtual.ts';

test('a service that fails or ends is started again, later each time, while the others go on', async () => {
  const clock = virtualClock();
  const stop = createStop();
  const starts: number[] = [];
  let steady = 0;
  const failing = {
    name: 'failing',
    run: async () => {
      starts.push(clock.now());
      if (starts.length % 2 === 0) throw new Error('broken');
    },
  };
  const healthy = {
    name: 'healthy',
    run: async (signal: typeof stop.signal) => {
      steady++;
      while (!signal.aborted) await clock.sleep(1000, signal);
    },
  };
  const ended = supervise([failing, healthy], { clock, random: seededRandom(3), log: silentLog }, stop.signal);
  await clock.advance(20_000);
  const gaps = starts.slice(1).map((at, i) => at - (starts[i] ?? 0));
  expect(steady).toBe(1);
  expect(gaps.length).toBeGreaterThanOrEqual(4);
  gaps.forEach((gap, i) => {
    expect(gap).toBeGreaterThanOrEqual(500 * 2 ** i * 0.75);
    expect(gap).toBeLessThanOrEqual(500 * 2 ** i * 1.25);
  });
  stop.stop();
  await ended;
  const count = starts.length;
  await clock.advance(100_000);
  expect(starts.length).toBe(count);
});

test('the delay of a service that was healthy for a minute starts small again', async () => {
  const clock = virtualClock();
  const stop = createStop();
  const restarts: number[] = [];
  let endedMs = 0;
  const service = {
    name: 'slow to fail',
    run: async () => {
      if (endedMs > 0) restarts.push(clock.now() - endedMs);
      await clock.sleep(61_000, stop.signal);
      endedMs = clock.now();
      throw new Error('after a minute');
    },
  };
  const ended = supervise([service], { clock, random: seededRandom(3), log: silentLog }, stop.signal);
  await clock.advance(400_000);
  expect(restarts.length).toBeGreaterThanOrEqual(5);
  for (const delayMs of restarts) expect(delayMs).toBeLessThanOrEqual(625);
  stop.stop();
  await ended;
});
