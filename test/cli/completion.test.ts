/** The script that completes words in bash, tried in bash. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '#setup/command.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';
import { type Shell, shellFor } from './run.ts';

let api: FakeApi;
let shell: Shell;
let script = '';
beforeAll(async () => {
  api = await startFakeApi();
  shell = shellFor(api.url);
  for (const name of ['web', 'worker'])
    api.add({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: {} });
  script = shell.file('completion', (await shell.run(['completion', 'bash'])).out);
});
afterAll(() => api.close());

/** What is offered for the last word of a line. */
const offered = async (line: string): Promise<readonly string[]> => {
  const program = join(import.meta.dirname, '..', '..', 'cli', 'bin.js');
  const body = `source "$1"; berth() { "$NODE" "$PROGRAM" "$@"; }
    read -r -a COMP_WORDS <<< "$2"; [[ $2 == *' ' ]] && COMP_WORDS+=(''); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _berth; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { KUBECONFIG: shell.kubeconfig, HOME: shell.folder, NODE: process.execPath, PROGRAM: program };
  const { stdout, stderr } = await runCommand('bash', ['-c', body, 'bash', script, line], { env });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
};

test.each([
  ['berth de', ['describe', 'delete', 'demo']],
  ['berth -n x get --show-', ['--show-kind', '--show-labels', '--show-managed-fields']],
  ['berth down --p', ['--purge']],
  ['berth top p', ['pod']],
  ['berth get pod', ['pods', 'pods.metrics.k8s.io']],
  ['berth logs w', ['web', 'worker']],
  ['berth describe pods we', ['web']],
  ['berth completion ', ['bash']],
])('%s', async (line, words) => {
  expect([...(await offered(line))].sort()).toEqual([...words].sort());
});

test('another shell is said to be unknown', async () => {
  const { code, err } = await shell.run(['completion', 'zsh']);
  expect([code, err]).toEqual([1, expect.stringContaining('berth completion bash')]);
});
