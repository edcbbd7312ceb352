import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('one name waits for itself, another does not, and alone is alone', async () => {
  const turns = new Turns();
  const log: string[] = [];
  const ends = new Map<string, () => void>();
  const start = (id: string, name: string, alone = false) =>
    turns.take(name, alone, () => {
      log.push(`+${id}`);
      return new Promise<void>(resolve => ends.set(id, resolve)).then(() => void log.push(`-${id}`));
    });
  const settle = () => new Promise(resolve => setImmediate(resolve));
  const all = [start('a1', 'a'), start('a2', 'a'), start('b', 'b'), start('x', 'x', true)];
  await settle();
  expect(log).toEqual(['+a1', '+b']);
  ends.get('a1')!();
  await settle();
  ends.get('b')!();
  await settle();
  expect(log).toEqual(['+a1', '+b', '-a1', '+a2', '-b']);
  ends.get('a2')!();
  await settle();
  ends.get('x')!();
  await Promise.all(all);
  expect(log.slice(5)).toEqual(['-a2', '+x', '-x']);
});
