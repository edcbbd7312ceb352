/** Runs kubectl beside `berth` on the same server, for tests that compare the two. */
import { runCommand } from '#setup/command.ts';
import type { Ran, Shell } from './run.ts';

/** kubectl with the shell's folder and kubeconfig. */
export const kubectlIn = async ({ folder, kubeconfig }: Shell, args: readonly string[], input = ''): Promise<Ran> => {
  const env = { HOME: folder, KUBECONFIG: kubeconfig };
  const { code, stdout: out, stderr: err } = await runCommand('kubectl', args, { cwd: folder, env, input });
  return { code, out, err };
};

/** A command line in words: spaces part them, quotes of either kind hold them together. */
export const wordsOf = (line: string): string[] =>
  [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''),
  );
