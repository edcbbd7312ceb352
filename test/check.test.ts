/** The compiler and the linter are tests too: what `npm run check` runs. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const run = (program: string, ...args: string[]) => {
  const bin = join(root, 'node_modules', '.bin');
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}`, NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(join(bin, program), args, { cwd: root, encoding: 'utf8', env });
  return { status, said: status === 0 ? '' : `${stdout}${stderr}`.slice(-4000) };
};
const clean = { status: 0, said: '' };

test('the whole tree type-checks', { timeout: 120_000 }, () => {
  expect(run('tsc', '-p', 'tsconfig.json')).toEqual(clean);
});

test('platform-free code type-checks without the platform', { timeout: 120_000 }, () => {
  expect(run('tsc', '-p', 'tsconfig.pure.json')).toEqual(clean);
});

test('formatter and linter have nothing to say', { timeout: 120_000 }, () => {
  expect(run('biome', 'ci', '.')).toEqual(clean);
});
