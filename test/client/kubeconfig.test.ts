import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addCluster, loadConnection, removeCluster } from '#client/kubeconfig.ts';
import { KubeconfigError } from '#client/kubeconfig-edit.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-kubeconfig-'));
});
afterEach(() => rm(folder, { recursive: true }));

const entry = { name: 'berth', server: 'https://127.0.0.1:6443', caPem: 'the CA\n', token: 'secret' };
const others = `# my clusters
apiVersion: v1
kind: Config
clusters:
- name: work   # do not touch
  cluster:
    server: https://work:6443
    insecure-skip-tls-verify: true
contexts:
- name: work
  context: {cluster: work, user: me, namespace: team}
current-context: work
users:
- name: me
  user:
    token: "012"
`;

const at = (name = 'config') => ({ kubeconfig: join(folder, name), env: {} });

test('the cluster is added beside what is there, and removing it gives the same bytes back', async () => {
  await writeFile(at().kubeconfig, others);
  await addCluster(at(), entry);
  expect(await loadConnection(at())).toEqual({
    context: 'berth',
    namespace: 'default',
    server: entry.server,
    caPem: entry.caPem,
    token: 'secret',
    insecureSkipTlsVerify: false,
  });
  expect(await loadConnection(at(), { context: 'work' })).toMatchObject({ token: '012', namespace: 'team' });
  const text = await readFile(at().kubeconfig, 'utf8');
  expect(text).toContain('# my clusters');
  expect(text).toContain('# do not touch');
  expect((await stat(at().kubeconfig)).mode & 0o777).toBe(0o600);
  expect(await removeCluster(at(), 'berth')).toEqual([at().kubeconfig]);
  const after = await readFile(at().kubeconfig, 'utf8');
  expect(after).toBe(others);
  expect(await loadConnection(at())).toMatchObject({ context: 'work', server: 'https://work:6443' });
  expect(await readdir(folder)).toEqual(['config']);
});

test('added twice, the context that was current before is still the one that comes back', async () => {
  await writeFile(at().kubeconfig, others);
  await addCluster(at(), entry);
  await addCluster(at(), { ...entry, server: 'https://127.0.0.1:7777' });
  expect(await loadConnection(at())).toMatchObject({ server: 'https://127.0.0.1:7777' });
  expect(await removeCluster(at(), 'berth', entry.server)).toEqual([]);
  expect(await removeCluster(at(), 'berth', 'https://127.0.0.1:7777')).toHaveLength(1);
  expect(await loadConnection(at())).toMatchObject({ context: 'work' });
});

test('another context that the user made current meanwhile stays current', async () => {
  await writeFile(at().kubeconfig, others);
  await addCluster(at(), entry);
  const text = await readFile(at().kubeconfig, 'utf8');
  await writeFile(at().kubeconfig, text.replace('current-context: berth', 'current-context: work'));
  await removeCluster(at(), 'berth');
  expect(await loadConnection(at())).toMatchObject({ context: 'work' });
});

test('a file that we made goes away again; one that the user had, even an empty one, stays', async () => {
  await addCluster(at('new/config'), entry);
  await removeCluster(at('new/config'), 'berth');
  expect(await readdir(join(folder, 'new'))).toEqual([]);
  await writeFile(at('old').kubeconfig, 'apiVersion: v1\nkind: Config\nclusters: []\ncontexts: null\n');
  await addCluster(at('old'), entry);
  expect(await loadConnection(at('old'))).toMatchObject({ server: entry.server });
  await removeCluster(at('old'), 'berth');
  expect(await readFile(at('old').kubeconfig, 'utf8')).toContain('kind: Config');
});

test('of the files in KUBECONFIG the first that has a name wins, and the first that exists is written', async () => {
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  const location = { env: { KUBECONFIG: `${join(folder, 'missing')}:${one}:${two}` } };
  await writeFile(one, 'apiVersion: v1\nkind: Config\nusers:\n- name: me\n  user: {token: first}\n');
  await writeFile(two, others);
  expect(await loadConnection(location)).toMatchObject({
    context: 'work',
    token: 'first',
    server: 'https://work:6443',
  });
  expect(await addCluster(location, entry)).toBe(one);
  expect(await loadConnection(location)).toMatchObject({ context: 'berth' });
  expect(await readFile(two, 'utf8')).toBe(others);
});

test('without KUBECONFIG it is the file in the home directory', async () => {
  const location = { env: { HOME: folder } };
  expect(await addCluster(location, entry)).toBe(join(folder, '.kube', 'config'));
  expect(await loadConnection(location)).toMatchObject({ context: 'berth' });
});

test('files named in a kubeconfig are found relative to it', async () => {
  await writeFile(join(folder, 'ca.pem'), 'CA of work');
  await writeFile(join(folder, 'token'), 'from-file\n');
  const text = others.replace('insecure-skip-tls-verify: true', 'certificate-authority: ca.pem');
  await writeFile(at().kubeconfig, text.replace('token: "012"', 'tokenFile: ./token'));
  expect(await loadConnection(at())).toMatchObject({ caPem: 'CA of work', token: 'from-file' });
});

test('a link is followed, not replaced', async () => {
  await writeFile(join(folder, 'dotfile'), others);
  await symlink(join(folder, 'dotfile'), at().kubeconfig);
  await addCluster(at(), entry);
  expect((await readFile(join(folder, 'dotfile'), 'utf8')).includes('berth')).toBe(true);
  expect((await readdir(folder, { withFileTypes: true })).find(file => file.name === 'config')?.isSymbolicLink()).toBe(
    true,
  );
});

test('many writers at once, in several processes, lose nobody’s entries', async () => {
  const script = `
    import { addCluster } from ${JSON.stringify(join(import.meta.dirname, '../../client/kubeconfig.ts'))};
    const [file, from, to] = process.argv.slice(2);
    for (let i = Number(from); i < Number(to); i++)
      await addCluster({ kubeconfig: file, env: {} }, { name: 'c' + i, server: 'https://h:' + i, caPem: 'x', token: 't' });
  `;
  const file = join(folder, 'writer.mts');
  await writeFile(file, script);
  await writeFile(at().kubeconfig, others);
  const run = (from: number) =>
    promisify(execFile)(process.execPath, [file, at().kubeconfig, String(from), String(from + 5)], {
      cwd: join(import.meta.dirname, '../..'),
    });
  await Promise.all([run(0), run(5), run(10)]);
  for (let i = 0; i < 15; i++) {
    expect(await loadConnection(at(), { context: `c${i}` })).toMatchObject({ server: `https://h:${i}` });
  }
  expect(await loadConnection(at(), { context: 'work' })).toMatchObject({ server: 'https://work:6443' });
});

test('a lock left by a program that died does not block for ever; one that is held is waited for', async () => {
  const lock = `${at().kubeconfig}.lock`;
  await writeFile(lock, '');
  await utimes(lock, new Date('2020-01-01'), new Date('2020-01-01'));
  await addCluster(at(), entry);
  await writeFile(lock, '');
  const adding = addCluster(at(), { ...entry, name: 'second' });
  await rm(lock);
  await adding;
  expect(await loadConnection(at())).toMatchObject({ context: 'second' });
});

const refusal = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KubeconfigError)) throw new Error(`expected a KubeconfigError, got ${String(error)}`);
  return error.message.replaceAll(folder, '');
};

test('what is wrong is said with file and line, and a broken file is left alone', async () => {
  await writeFile(at().kubeconfig, 'apiVersion: v1\nclusters:\n- name: [a\n');
  expect(await refusal(loadConnection(at()))).toMatch(/^\/config: line \d+ is not valid YAML/);
  expect(await refusal(addCluster(at(), entry))).toMatch(/^\/config: line \d+ is not valid YAML/);
  expect(await readFile(at().kubeconfig, 'utf8')).toBe('apiVersion: v1\nclusters:\n- name: [a\n');
  expect(await refusal(loadConnection(at('nowhere')))).toBe('kubeconfig /nowhere: no such file or directory');
  await writeFile(at('text').kubeconfig, 'hello');
  expect(await refusal(loadConnection(at('text')))).toBe('/text is not a kubeconfig: it must be a mapping');
  await writeFile(at('work').kubeconfig, others);
  expect(await refusal(loadConnection(at('work'), { context: 'x' }))).toBe('context "x" does not exist');
  expect(await refusal(loadConnection(at('work'), { user: 'x' }))).toBe('user "x" of context "work" does not exist');
  expect(await refusal(loadConnection({ env: { HOME: folder } }))).toMatch(
    /there is no kubeconfig: start a cluster with "berth up"/,
  );
  await writeFile(at('exec').kubeconfig, others.replace('token: "012"', 'exec: {command: aws}'));
  expect(await refusal(loadConnection(at('exec')))).toMatch(/runs a program for credentials \(exec\)/);
});

test('a folder that cannot be made is a clear error', async () => {
  await writeFile(join(folder, 'file'), '');
  expect(await refusal(addCluster(at('file/config'), entry))).toBe('folder of the kubeconfig /file: not a directory');
  expect(await refusal(addCluster(at('file/kube/config'), entry))).toBe(
    'folder of the kubeconfig /file/kube: not a directory',
  );
  expect(await refusal(addCluster({ kubeconfig: '/proc/berth/kube/config', env: {} }, entry))).toBe(
    'folder of the kubeconfig /proc/berth/kube: no such file or directory',
  );
});

test('a folder that may not be written is a clear error', async () => {
  if (process.getuid?.() === 0) return;
  await chmod(folder, 0o500);
  expect(await refusal(addCluster(at(), entry))).toMatch(/permission denied/);
  await chmod(folder, 0o700);
});
