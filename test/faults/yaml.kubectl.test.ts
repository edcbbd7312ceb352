/** Wrong YAML, to stock kubectl and to `berth apply`: what they say, their exit code, and that nothing is half applied. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMapKind, namespaceKind, podKind } from '#api/kinds/core.ts';
import { type CommandResult, runCommand } from '#setup/command.ts';
import { type SplitCluster, startSplitCluster } from './split-cluster.ts';
import { oddManifests, type WrongManifest, wrongManifests } from './wrong-manifests.ts';

let cluster: SplitCluster;
let namespaces = 0;

beforeAll(async () => {
  cluster = await startSplitCluster();
});
afterAll(async () => {
  await cluster?.stop();
});

type Tool = 'kubectl' | 'berth';

interface Outcome extends CommandResult {
  /** The names of what is in the namespace afterwards. */
  readonly applied: readonly string[];
}

/** Applies the manifest in a folder and a namespace of its own. */
const applyWith = async (tool: Tool, { files, apply, more = [] }: WrongManifest): Promise<Outcome> => {
  const namespace = `n${namespaces++}`;
  const folder = join(cluster.place.folder, namespace);
  mkdirSync(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const { client, kubeconfig, place } = cluster;
  await client.create(namespaceKind, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, spec: {} });
  const args = ['apply', '-n', namespace, '-f', apply, ...more];
  const env = { KUBECONFIG: kubeconfig, KUBECACHEDIR: join(place.folder, 'kube-cache') };
  const result =
    tool === 'kubectl'
      ? await runCommand('kubectl', args, { cwd: folder, env, timeoutMs: 60_000 })
      : await place.run(args, { cwd: folder, env, timeoutMs: 60_000 });
  const pods = await client.list(podKind, { namespace });
  const maps = await client.list(configMapKind, { namespace });
  const names = [...pods.items, ...maps.items].map(({ metadata }) => metadata.name);
  return { ...result, applied: names.filter(name => name !== 'kube-root-ca.crt').sort() };
};

const check = ({ code, stdout, stderr, applied }: Outcome, manifest: WrongManifest, tool: Tool): void => {
  const wanted = tool === 'kubectl' ? manifest.kubectl : (manifest.berth ?? manifest.kubectl);
  const wantedCode = tool === 'kubectl' ? (manifest.code ?? 1) : (manifest.berthCode ?? manifest.code ?? 1);
  const said = `${stdout}${stderr}`;
  for (const part of wanted) expect(said).toContain(part);
  // A stack or an internal error is no message for a user.
  expect(said).not.toMatch(/\n\s+at .*:\d+:\d+|InternalError|Internal error|node_modules/);
  expect(code).toBe(wantedCode);
  expect(applied).toEqual(tool === 'berth' && manifest.berthCode !== undefined ? [] : (manifest.applied ?? []));
};

describe.each<Tool>(['kubectl', 'berth'])('%s apply', tool => {
  test.concurrent.each(wrongManifests)('$name', async manifest => {
    check(await applyWith(tool, manifest), manifest, tool);
  });

  test.concurrent.each(oddManifests)('$name is fine', async manifest => {
    check(await applyWith(tool, manifest), manifest, tool);
  });

  test('a change with something wrong leaves the object as it was', async () => {
    const good =
      'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: app, image: busybox:1.28}]\n';
    const files = { 'good.yaml': good };
    const wrong = good.replace('name: p', 'name: p, labels: {a: b}').replace('busybox:1.28', '"", x: 1');
    const { client, kubeconfig, place } = cluster;
    await applyWith(tool, { name: '', files, apply: 'good.yaml', kubectl: [] });
    const namespace = `n${namespaces - 1}`;
    const before = await client.get(podKind, { namespace, name: 'p' });
    const file = join(place.folder, namespace, 'wrong.yaml');
    writeFileSync(file, wrong);
    const args = ['apply', '-n', namespace, '-f', file];
    const env = { KUBECONFIG: kubeconfig, KUBECACHEDIR: join(place.folder, 'kube-cache') };
    const said = tool === 'kubectl' ? await runCommand('kubectl', args, { env }) : await place.run(args, { env });
    expect(said.code).toBe(1);
    expect(said.stderr).toContain('unknown field "spec.containers[0].x"');
    expect(await client.get(podKind, { namespace, name: 'p' })).toEqual(before);
  });
});
