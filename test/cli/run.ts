/** Runs `berth` command lines in this process, against a fake API or none, and gives what they printed. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#base/system.ts';
import type { Io } from '#cli/io.ts';
import { runCli } from '#cli/main.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Shell {
  readonly folder: string;
  readonly kubeconfig: string;
  run(
    args: readonly string[],
    more?: { stdin?: string; signal?: AbortSignal; onOut?: (text: string) => void },
  ): Promise<Ran>;
  /** Writes a file into the folder; its path. */
  file(name: string, text: string): string;
}

/** A folder with a kubeconfig whose context `berth` is the server at `url`. */
export const shellFor = (url: string, access: Access = { token: 'fake' }): Shell => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-cli-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigFor(url, access));
  return {
    folder,
    kubeconfig,
    file: (name, text) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    run: async (args, more = {}) => {
      const ran = { out: '', err: '' };
      const io: Io = {
        env: { KUBECONFIG: kubeconfig, HOME: folder },
        cwd: folder,
        clock: systemClock,
        signal: more.signal ?? new AbortController().signal,
        colour: false,
        out: text => {
          ran.out += typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
          more.onOut?.(ran.out);
        },
        err: text => {
          ran.err += text;
        },
        drain: async () => {},
        readStdin: async () => more.stdin ?? '',
      };
      return { code: await runCli(args, io), ...ran };
    },
  };
};

export interface Access {
  readonly token: string;
  readonly caFile?: string;
  readonly caPem?: string;
}

/** A shell whose context is that control plane, as its administrator. */
export const shellOf = (plane: { readonly url: string; readonly adminToken: string; readonly caPem: string }): Shell =>
  shellFor(plane.url, { token: plane.adminToken, caPem: plane.caPem });

const kubeconfigFor = (url: string, { token, caFile, caPem }: Access): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'berth',
    contexts: [{ name: 'berth', context: { cluster: 'berth', user: 'berth' } }],
    clusters: [
      {
        name: 'berth',
        cluster: {
          server: url,
          ...(caFile === undefined ? {} : { 'certificate-authority': caFile }),
          ...(caPem === undefined ? {} : { 'certificate-authority-data': Buffer.from(caPem).toString('base64') }),
        },
      },
    ],
    users: [{ name: 'berth', user: { token } }],
  });
