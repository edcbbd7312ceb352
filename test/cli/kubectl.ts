/** Runs kubectl beside `berth` on the same server, for tests that compare the two. */
import { spawn } from 'node:child_process';
import type { Ran, Shell } from './run.ts';

/** kubectl with the shell's folder and kubeconfig. */
export const kubectlIn = (shell: Shell, args: readonly string[], stdin?: string): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'], HOME: shell.folder, KUBECONFIG: shell.kubeconfig };
    const child = spawn('kubectl', args, { cwd: shell.folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
    const ran = { out: '', err: '' };
    child.stdout.on('data', chunk => {
      ran.out += String(chunk);
    });
    child.stderr.on('data', chunk => {
      ran.err += String(chunk);
    });
    child.on('error', reject);
    child.on('close', code => resolve({ code: code ?? -1, ...ran }));
    // A program that does not read its input may end before it has got any.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin ?? '');
  });

/** A command line in words: spaces part them, quotes of either kind hold them together. */
export const wordsOf = (line: string): string[] =>
  [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''),
  );
