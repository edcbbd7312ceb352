/** `berth apply` against a real control plane: owners of fields, replacement with --force, labels of objects. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configMapKind, podKind } from '#api/kinds/core.ts';
import { silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import type { Client } from '#client/client.ts';
import { type ControlPlane, startControlPlane } from '#scheduler/main.ts';
import { type Shell, shellOf } from '../run.ts';

let plane: ControlPlane;
let client: Client;
let shell: Shell;
beforeAll(async () => {
  const options = { clock: systemClock, random: systemRandom, log: silentLog, port: 0, scheduler: false } as const;
  plane = await startControlPlane(options);
  client = plane.client();
  shell = shellOf(plane);
});
afterAll(() => plane.stop());
beforeEach(async () => {
  await shell.run(['delete', 'cm', 'm', '--ignore-not-found']);
});

const configMap = (data: string) =>
  shell.file('m.yaml', `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, labels: {tier: x}}\ndata: {${data}}\n`);
const data = async () => (await client.get(configMapKind, { namespace: 'default', name: 'm' })).data;
const owners = async () =>
  (await client.get(configMapKind, { namespace: 'default', name: 'm' })).metadata.managedFields
    ?.map(({ manager, operation }) => `${manager} ${operation}`)
    .sort();

describe('server-side apply after client-side apply', () => {
  test('takes the fields over, so that what the manifest drops goes', async () => {
    configMap('a: "1", b: "2"');
    expect((await shell.run(['apply', '-f', 'm.yaml'])).out).toBe('configmap/m created\n');
    expect(await shell.run(['apply', '--server-side', '-f', 'm.yaml'])).toEqual({
      code: 0,
      out: 'configmap/m serverside-applied\n',
      err: '',
    });
    expect(await owners()).toEqual(['kubectl Apply', 'kubectl-last-applied Apply']);
    configMap('a: "1"');
    expect((await shell.run(['apply', '--server-side', '-f', 'm.yaml'])).code).toBe(0);
    expect(await data()).toEqual({ a: '1' });
  });

  test('with a manager of its own too; a dry run changes nothing', async () => {
    configMap('a: "1", b: "2"');
    await shell.run(['apply', '-f', 'm.yaml']);
    configMap('a: "1"');
    const mine = ['apply', '--server-side', '-f', 'm.yaml', '--field-manager', 'me'];
    expect((await shell.run([...mine, '--dry-run=server'])).out).toBe(
      'configmap/m serverside-applied (server dry run)\n',
    );
    expect(await owners()).toEqual(['kubectl-client-side-apply Update']);
    expect((await shell.run(mine)).code).toBe(0);
    expect(await owners()).toEqual(['me Apply']);
    expect(await data()).toEqual({ a: '1' });
  });
});

test('--force makes anew what cannot be changed, and only then', async () => {
  const pod = (container: string) =>
    shell.file(
      'p.yaml',
      `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: ${container}, image: i}]}\n`,
    );
  const uid = async () => (await client.get(podKind, { namespace: 'default', name: 'p' })).metadata.uid;
  pod('c');
  expect((await shell.run(['apply', '-f', 'p.yaml', '--force'])).out).toBe('pod/p created\n');
  const first = await uid();
  expect((await shell.run(['apply', '-f', 'p.yaml', '--force'])).out).toBe('pod/p unchanged\n');
  pod('d');
  const refused = await shell.run(['apply', '-f', 'p.yaml']);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('pod updates may not')]);
  expect(await uid()).toBe(first);
  expect((await shell.run(['apply', '-f', 'p.yaml', '--force', '--timeout=20s'])).out).toBe('pod/p configured\n');
  expect(await uid()).not.toBe(first);
});

test('-l applies and deletes only manifests that it selects', async () => {
  configMap('a: "1"');
  expect((await shell.run(['apply', '-f', 'm.yaml', '-l', 'tier=y'])).err).toBe('error: no objects passed to apply\n');
  expect((await shell.run(['apply', '-f', 'm.yaml', '-l', 'tier in (x,y)'])).out).toBe('configmap/m created\n');
  expect((await shell.run(['delete', '-f', 'm.yaml', '-l', 'tier=y'])).out).toBe('No resources found\n');
  expect((await shell.run(['delete', '-f', 'm.yaml', '-l', 'tier=x'])).out).toBe('configmap "m" deleted\n');
});

test('label and annotate print objects, try on the server, and say what is there', async () => {
  configMap('a: "1"');
  await shell.run(['apply', '-f', 'm.yaml']);
  const tried = ['label', 'cm', 'm', 'new=1', '--dry-run=server', '-o', 'jsonpath={.metadata.labels.new}'];
  expect((await shell.run(tried)).out).toBe('1');
  expect((await shell.run(['label', 'cm', 'm', '--list'])).out).toBe('tier=x\n');
  expect((await shell.run(['annotate', '-f', 'm.yaml', 'note=a'])).out).toBe('configmap/m annotated\n');
  const { metadata } = await client.get(configMapKind, { namespace: 'default', name: 'm' });
  expect(metadata.annotations?.['note']).toBe('a');
});
