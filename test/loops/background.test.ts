/** Work beside a loop, and how a loop sleeps. */
import { describe, expect, test } from 'vitest';
import { silentLog } from '#base/log.ts';
import { createStop } from '#base/stop.ts';
import { createBackground } from '#loops/background.ts';
import { createDoorbell } from '#loops/doorbell.ts';
import { settle, startMs, virtualClock } from '#test/virtual.ts';

/** A promise that a test ends. */
const open = () => {
  let end: () => void = () => {};
  const promise = new Promise<void>(resolve => {
    end = resolve;
  });
  return { promise, end };
};

describe('background', () => {
  test('has room for so many pieces of work, and tells when there is room again', async () => {
    const background = createBackground(2, silentLog);
    const pieces = [open(), open()];
    for (const { promise } of pieces) background.run(() => promise, 'waiting', 'default/p');
    expect(background.hasRoom).toBe(false);
    let isTold = false;
    const told = background.room().then(() => {
      isTold = true;
    });
    await settle();
    expect(isTold).toBe(false);
    pieces[1]!.end();
    await told;
    expect(background.hasRoom).toBe(true);
  });

  test('says which work failed, for which pod', async () => {
    const said: unknown[] = [];
    const background = createBackground(1, { ...silentLog, error: (fields, message) => said.push(fields, message) });
    const err = new Error('no');
    background.run(() => Promise.reject(err), 'binding', 'default/p');
    await background.settled();
    expect(said).toEqual([{ err, pod: 'default/p' }, 'binding failed']);
  });

  test('is settled when work that other work started is done too', async () => {
    const background = createBackground(2, silentLog);
    const [first, second] = [open(), open()];
    background.run(
      async () => {
        await first.promise;
        background.run(() => second.promise, 'second', 'default/p');
      },
      'first',
      'default/p',
    );
    let isSettled = false;
    const settled = background.settled().then(() => {
      isSettled = true;
    });
    first.end();
    await settle();
    expect(isSettled).toBe(false);
    second.end();
    await settled;
  });
});

describe('doorbell', () => {
  const waiting = (untilMs: number) => {
    const clock = virtualClock();
    const doorbell = createDoorbell(clock, createStop().signal);
    const answered: number[] = [];
    const answer = () => void doorbell.answer(untilMs).then(() => answered.push(clock.now() - startMs));
    return { clock, doorbell, answered, answer };
  };

  test('is answered when it rings, or at its time', async () => {
    const { clock, doorbell, answered, answer } = waiting(startMs + 5000);
    answer();
    await clock.advance(1000);
    doorbell.ring();
    await clock.advance(0);
    answer();
    await clock.advance(9000);
    expect(answered).toEqual([1000, 5000]);
  });

  test('remembers that it was rung, once', async () => {
    const { clock, doorbell, answered, answer } = waiting(Number.POSITIVE_INFINITY);
    doorbell.ring();
    doorbell.ring();
    answer();
    await clock.advance(0);
    answer();
    await clock.advance(60_000);
    expect(answered).toEqual([0]);
  });

  test('is answered at once when all has ended', async () => {
    const { signal, stop } = createStop();
    stop();
    await createDoorbell(virtualClock(), signal).answer(Number.POSITIVE_INFINITY);
  });
});
