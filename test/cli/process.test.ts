/** The program as a process: pipes and signals. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '#setup/command.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';
import { type Shell, shellFor } from './run.ts';

const program = join(import.meta.dirname, '..', '..', 'cli', 'bin.js');
let api: FakeApi;
let shell: Shell;
beforeAll(async () => {
  api = await startFakeApi();
  shell = shellFor(api.url);
  const metadata = { name: 'big', namespace: 'default' };
  api.add({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'x'.repeat(2_000_000) } });
});
afterAll(() => api.close());

const bash = async (script: string): Promise<string> => {
  const env = { KUBECONFIG: shell.kubeconfig, BERTH: `${process.execPath} ${program}` };
  const { stdout, stderr } = await runCommand('bash', ['-c', script], { env });
  return stdout + stderr;
};

test('a reader that comes late gets everything', async () => {
  const whole = (await shell.run(['get', 'cm', 'big', '-o', 'json'])).out.length;
  expect(await bash('$BERTH get cm big -o json | (sleep 0.5; wc -c)')).toBe(`${whole}\n`);
});

test('a reader that goes away ends it quietly, as SIGPIPE would', async () => {
  expect(await bash('$BERTH get cm big -o json | head -c 1; echo " $PIPESTATUS"')).toBe('{ 141\n');
});

test('SIGINT ends a watch with the exit code of a shell', async () => {
  const env = { ...process.env, KUBECONFIG: shell.kubeconfig };
  const child = spawn(process.execPath, [program, 'get', 'ns', '-w'], { env });
  await new Promise<void>(resolve => child.stdout.once('data', () => resolve()));
  const ended = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)));
  child.kill('SIGINT');
  expect(await ended).toBe(130);
});
