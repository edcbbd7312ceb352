/** What every ContainerRuntime must do, whatever is behind it. Containers of the suite live until they are signalled. */
import { afterEach, expect, test } from 'vitest';
import { type ContainerRuntime, type ContainerSpec, isFault, type RuntimeEvent } from '#agent/runtime.ts';
import { createStop } from '#base/stop.ts';

export interface RuntimeUnderTest {
  readonly runtime: ContainerRuntime;
  /** A container that ignores nothing and ends at SIGTERM, or exits by itself with a code. */
  spec(name: string, how: 'waits' | 'exits 3'): ContainerSpec;
  /** Lets a little time pass. */
  pause(): Promise<void>;
}

export const runtimeContract = (open: () => RuntimeUnderTest, labels: Readonly<Record<string, string>>): void => {
  afterEach(async () => {
    const { runtime } = open();
    for (const seen of await runtime.list(labels)) await runtime.remove(seen.id);
  });

  const settle = async <T>(look: () => Promise<T | undefined | false>): Promise<T> => {
    for (let tries = 0; tries < 500; tries++) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      await open().pause();
    }
    throw new Error('waited in vain');
  };

  test('a container is created, runs, ends by a signal, and is removed; each step may be repeated', async () => {
    const { runtime, spec } = open();
    const id = await runtime.create(spec('one', 'waits'));
    expect(await runtime.inspect(id)).toMatchObject({ id, phase: 'created', startedAtMs: 0, pid: 0 });
    await runtime.start(id);
    await runtime.start(id);
    const running = await runtime.inspect(id);
    expect(running!.phase).toBe('running');
    expect(running!.startedAtMs).toBeGreaterThan(0);
    expect((await runtime.inspect(running!.name))!.id).toBe(id);
    await runtime.signal(id, 'SIGKILL');
    await settle(async () => (await runtime.inspect(id))?.phase === 'exited');
    expect(await runtime.inspect(id)).toMatchObject({ exitCode: 137, pid: 0 });
    await runtime.signal(id, 'SIGTERM');
    await runtime.remove(id);
    await runtime.remove(id);
    expect(await runtime.inspect(id)).toBeUndefined();
    expect(await runtime.list(labels)).toEqual([]);
  });

  test('a name is given once: of many who ask for it at the same time one gets it', async () => {
    const { runtime, spec } = open();
    const tries = await Promise.allSettled(Array.from({ length: 6 }, () => runtime.create(spec('same', 'waits'))));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const each of tries) if (each.status === 'rejected') expect(isFault(each.reason, 'conflict')).toBe(true);
  });

  test('removals at the same time all succeed', async () => {
    const { runtime, spec } = open();
    const id = await runtime.create(spec('gone', 'waits'));
    await runtime.start(id);
    await Promise.all(Array.from({ length: 4 }, () => runtime.remove(id)));
    expect(await runtime.inspect(id)).toBeUndefined();
  });

  test('starts at the same time all succeed', async () => {
    const { runtime, spec } = open();
    const id = await runtime.create(spec('started', 'waits'));
    await Promise.all(Array.from({ length: 4 }, () => runtime.start(id)));
    expect((await runtime.inspect(id))!.phase).toBe('running');
  });

  test('an exit shows its code and time, and is told by a die event', async () => {
    const { runtime, spec } = open();
    const events: RuntimeEvent[] = [];
    const stop = createStop();
    let opened: () => void = () => {};
    const open1 = new Promise<void>(resolve => {
      opened = resolve;
    });
    const following = runtime.events(labels, event => events.push(event), opened, stop.signal);
    await open1;
    const id = await runtime.create(spec('exits', 'exits 3'));
    await runtime.start(id);
    await settle(async () => events.some(event => event.action === 'die' && event.id === id));
    const seen = await settle(async () => {
      const found = await runtime.inspect(id);
      return found?.phase === 'exited' && found;
    });
    expect(seen).toMatchObject({ exitCode: 3, oomKilled: false });
    expect(seen.finishedAtMs).toBeGreaterThanOrEqual(seen.startedAtMs);
    stop.stop();
    await following;
  });

  test('a list holds what has the labels, whatever its phase', async () => {
    const { runtime, spec } = open();
    const a = await runtime.create(spec('list-a', 'waits'));
    const b = await runtime.create(spec('list-b', 'waits'));
    await runtime.start(b);
    expect((await runtime.list(labels)).map(seen => seen.id).sort()).toEqual([a, b].sort());
    expect(await runtime.list({ ...labels, nobody: 'has' })).toEqual([]);
  });

  test('stats are there for running containers only', async () => {
    const { runtime, spec } = open();
    const id = await runtime.create(spec('stats', 'waits'));
    expect(await runtime.stats(id)).toBeUndefined();
    await runtime.start(id);
    const sample = await settle(() => runtime.stats(id));
    expect(sample.atMs).toBeGreaterThan(0);
    expect(sample.memoryWorkingSetBytes).toBeGreaterThanOrEqual(0);
  });

  test('an image that is not there is told at creation', async () => {
    const { runtime, spec } = open();
    expect(await runtime.image('berth-test/nonesuch:0')).toBeUndefined();
    const failure = await runtime
      .create({ ...spec('noimage', 'waits'), image: 'berth-test/nonesuch:0' })
      .catch((error: unknown) => error);
    expect(isFault(failure, 'notFound')).toBe(true);
  });

  test('memory volumes are made, found by label, and removed', async () => {
    const { runtime } = open();
    await runtime.createMemoryVolume('berth_contract_v', 1 << 20, labels);
    await runtime.createMemoryVolume('berth_contract_v', 1 << 20, labels);
    expect(await runtime.volumes(labels)).toEqual(['berth_contract_v']);
    await runtime.removeVolume('berth_contract_v');
    await runtime.removeVolume('berth_contract_v');
    expect(await runtime.volumes(labels)).toEqual([]);
  });
};
