import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { startFakeApi } from '#test/cli/fake-api.ts';
import { shellFor } from '#test/cli/run.ts';

const kubectl = '/usr/lib/google-cloud-sdk/bin/kubectl.' + (process.env['KV'] ?? '1.32');
const api = await startFakeApi();
const sh = shellFor(api.url);
const world = JSON.parse(readFileSync('/tmp/world.json', 'utf8'));
api.add(...world);
const real = (args: string[], stdin?: string) =>
  new Promise<{ code: number; out: string; err: string }>(res => {
    const c = spawn(kubectl, args, {
      env: { ...process.env, KUBECONFIG: sh.kubeconfig, HOME: sh.folder },
      cwd: sh.folder,
    });
    let out = '',
      err = '';
    c.stdout.on('data', d => (out += d));
    c.stderr.on('data', d => (err += d));
    c.on('exit', code => setTimeout(() => res({ code: code ?? -1, out, err }), 20));
    c.stdin.end(stdin ?? '');
  });
const lines = readFileSync(process.argv[2]!, 'utf8')
  .split('\n')
  .filter(l => l.trim() && !l.startsWith('#'));
const files: Record<string, string> = JSON.parse(readFileSync('/tmp/files.json', 'utf8'));

import { mkdirSync } from 'node:fs';
mkdirSync(sh.folder + '/empty');
writeFileSync(sh.folder + '/empty/readme.txt', 'x');
mkdirSync(sh.folder + '/multi');
for (const [n, t] of Object.entries(files)) sh.file(n, t);
let bad = 0,
  ok = 0;
for (const l of lines) {
  const args = [...l.matchAll(/"((?:\\.|[^"])*)"|'([^']*)'|(\S+)/g)].map(m =>
    m[1] !== undefined ? JSON.parse('"' + m[1] + '"') : (m[2] ?? m[3]!),
  );
  const k = await real(args.concat(args[0] === 'config' ? [] : []));
  const b = await sh.run(args);
  const same = k.out === b.out && k.code === b.code && k.err === b.err;
  if (same) {
    ok++;
    continue;
  }
  bad++;
  console.log('=== ' + l + `   [exit ${k.code} / ${b.code}]`);
  for (const f of ['out', 'err'] as const)
    if (k[f] !== b[f]) {
      writeFileSync('/tmp/k.txt', k[f]);
      writeFileSync('/tmp/b.txt', b[f]);
      const d = await new Promise<string>(r => {
        const c = spawn('diff', ['-U2', '/tmp/k.txt', '/tmp/b.txt']);
        let o = '';
        c.stdout.on('data', x => (o += x));
        c.on('close', () => r(o));
      });
      console.log(f + ':\n' + d.split('\n').slice(2, 60).join('\n'));
    }
}
console.log(`same ${ok}, different ${bad}`);
await api.close();
process.exit(0);
