import { expect, test } from 'vitest';
import { WorkQueue } from '#base/queue.ts';
import { createStop } from '#base/stop.ts';
import { virtualClock } from '#test/virtual.ts';

const make = () => {
  const clock = virtualClock();
  return { clock, queue: new WorkQueue({ clock, baseDelayMs: 100, maxDelayMs: 1000 }) };
};

test('a key added often waits once', async () => {
  const { queue } = make();
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
  expect([await queue.take(), await queue.take(), queue.length]).toEqual(['a', 'b', 0]);
});

test('a key is not given to two workers, and comes back when it was added while worked on', async () => {
  const { clock, queue } = make();
  queue.add('a');
  await queue.take();
  queue.add('a');
  let second: string | undefined;
  const waiting = queue.take().then(key => {
    second = key;
  });
  await clock.advance(0);
  expect(second).toBeUndefined();
  queue.done('a');
  await waiting;
  expect(second).toBe('a');
});

test('the earliest of several delays counts, and an immediate add takes the delay away', async () => {
  const { clock, queue } = make();
  queue.addAfter('a', 500);
  queue.addAfter('a', 200);
  queue.addAfter('a', 900);
  queue.addAfter('b', 300);
  queue.add('b');
  expect(await queue.take()).toBe('b');
  await clock.advance(199);
  expect(queue.length).toBe(0);
  await clock.advance(1);
  expect(await queue.take()).toBe('a');
  queue.done('a');
  await clock.advance(5000);
  expect([queue.length, queue.delayed]).toEqual([0, 0]);
});

test('failures wait twice as long each time up to the limit, until the key is forgotten', async () => {
  const { clock, queue } = make();
  const waits: number[] = [];
  const measure = async () => {
    const fromMs = clock.now();
    queue.retry('a');
    while (queue.length === 0) await clock.advance(50);
    waits.push(clock.now() - fromMs);
    queue.done((await queue.take()) ?? '');
  };
  for (let i = 0; i < 6; i++) await measure();
  queue.forget('a');
  await measure();
  expect(waits).toEqual([100, 200, 400, 800, 1000, 1000, 100]);
});

test('closing, or the signal, wakes waiting workers with nothing', async () => {
  const { queue } = make();
  const stop = createStop();
  const withSignal = queue.take(stop.signal);
  const without = queue.take();
  stop.stop();
  expect(await withSignal).toBeUndefined();
  queue.close();
  expect(await without).toBeUndefined();
  queue.add('late');
  expect(await queue.take()).toBeUndefined();
});
