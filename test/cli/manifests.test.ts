import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '#base/system.ts';
import { failureText } from '#cli/failure.ts';
import type { Io } from '#cli/io.ts';
import { type ManifestOptions, readManifests } from '#cli/manifests.ts';

const read = async (text: string | Record<string, string>, options: Partial<ManifestOptions> = {}, path = '') => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-manifests-'));
  const files = typeof text === 'string' ? { 'f.yaml': text } : text;
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const warnings: string[] = [];
  const io: Io = {
    env: {},
    cwd: folder,
    clock: systemClock,
    signal: new AbortController().signal,
    colour: false,
    out: () => {},
    err: said => warnings.push(said),
    drain: async () => {},
    readStdin: async () => 'apiVersion: v1\nkind: Pod\nmetadata: {name: piped}\n',
  };
  const paths = path === '' ? (typeof text === 'string' ? ['f.yaml'] : ['.']) : [path];
  const found = await readManifests(io, paths, { recursive: false, duplicates: 'error', ...options });
  return {
    names: found.flatMap(item => ('manifest' in item ? [item.manifest.object.metadata.name ?? ''] : [])),
    objects: found.flatMap(item => ('manifest' in item ? [item.manifest] : [])),
    faults: found.flatMap(item => ('failure' in item ? [failureText(item.failure)] : [])),
    warnings,
  };
};
const pod = (name: string, more = '') => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n${more}`;

describe('manifests', () => {
  test('several documents, empty ones skipped', async () => {
    expect((await read(`---\n${pod('a')}---\n# nothing\n---\n${pod('b')}`)).names).toEqual(['a', 'b']);
  });
  test('a list is taken apart', async () => {
    const list = `kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n`;
    expect((await read(list)).names).toEqual(['a', 'b']);
  });
  test('JSON, also several documents in a file', async () => {
    const json = (name: string) => JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name } }, null, '\t');
    expect((await read(`${json('a')}\n${json('b')}`)).names).toEqual(['a', 'b']);
  });
  test('stdin', async () => {
    expect((await read({}, {}, '-')).names).toEqual(['piped']);
  });
  test('a directory: files with the known extensions, by name; below only with recursive', async () => {
    const files = {
      'b.yaml': pod('b'),
      'a.yml': pod('a'),
      'c.json': '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"c"}}',
      'n.txt': 'x',
      'd/e.yaml': pod('e'),
    };
    expect((await read(files)).names).toEqual(['a', 'b', 'c']);
    expect((await read(files, { recursive: true })).names).toEqual(['a', 'b', 'c', 'e']);
  });
  test('a directory without manifests, and a path that is not there', async () => {
    await expect(read({ 'n.txt': 'x' })).rejects.toThrow(
      'error reading [.]: recognized file extensions are [.json .yaml .yml]',
    );
    await expect(read('', {}, 'nope.yaml')).rejects.toThrow('the path "nope.yaml" does not exist');
  });
  test('YAML 1.1 scalars as Go reads them', async () => {
    const { objects } = await read(
      pod('a', 'mode: 0644\nok: yes\noff: off\nratio: 1:30\nday: 2020-01-01\nsize: 0x10\nnothing:\nquoted: "yes"\n'),
    );
    expect(objects[0]!.object).toMatchObject({
      mode: 420,
      ok: true,
      false: false,
      ratio: '1:30',
      day: '2020-01-01',
      size: 16,
      nothing: null,
      quoted: 'yes',
    });
  });

  test.each([
    ['a tab', pod('a', 'spec:\n\tx: 1\n'), 'f.yaml:6:1', 'Tabs are not allowed'],
    ['an open bracket', 'apiVersion: v1\nkind: [\n', 'f.yaml:2:8', 'yaml: line 2'],
    ['a key that stands twice', pod('a', 'spec: {}\nspec: {}\n'), 'f.yaml:6:1', 'key "spec" already set in map'],
    ['wrong indentation', 'a: b\n c: d\n', 'f.yaml:1:4', 'yaml: line 1'],
    ['no kind', 'apiVersion: v1\nmetadata: {name: x}\n', 'f.yaml:1:1', "Object 'Kind' is missing"],
    ['no apiVersion', 'kind: Pod\n', 'f.yaml:1:1', "Object 'apiVersion' is missing"],
    ['a list', '- a\n', 'f.yaml:1:1', 'the document is a list'],
    ['a word', 'hello\n', 'f.yaml:1:1', 'the document is a string'],
    ['broken JSON', '{"apiVersion": "v1",\n "kind": }', 'f.yaml:2:10', 'json: Unexpected token'],
  ])('%s is refused with its place', async (_, text, place, why) => {
    const { faults } = await read(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(place);
    expect(faults[0]).toContain(why);
  });
  test('a fault in the second document leaves the first, and counts lines from the start of the file', async () => {
    const { names, faults } = await read(`${pod('a')}---\n${pod('b', 'spec: {\n')}`);
    expect(names).toEqual(['a']);
    expect(faults[0]).toContain('f.yaml:10:');
  });
  test('a document that is no object does not keep the next from being read', async () => {
    const { names, faults } = await read(`kind: Pod\n---\n${pod('b')}`);
    expect([names, faults.length]).toEqual([['b'], 1]);
  });
  test('a key that stands twice can be a warning or nothing; the last one counts', async () => {
    const text = pod('a', 'x: 1\nx: 2\n');
    const warned = await read(text, { duplicates: 'warn' });
    expect(warned.objects[0]!.object['x']).toBe(2);
    expect(warned.warnings).toEqual(['Warning: f.yaml:6:1: key "x" already set in map\n']);
    expect((await read(text, { duplicates: 'ignore' })).warnings).toEqual([]);
  });
  test('fields are found by path, also in lists, and else their parents', async () => {
    const { objects } = await read(
      `# head\n${pod('a', 'spec:\n  containers:\n  - name: c\n    image: i\n  - name: d\n    command: x\n')}`,
    );
    const at = (path: string) => objects[0]!.locate(path).text;
    expect(at('metadata.name')).toBe('f.yaml:5:3');
    expect(at('spec.containers[1].command')).toBe('f.yaml:11:5');
    expect(at('spec.containers.command')).toBe('f.yaml:11:5');
    expect(at('spec.containers[0].resources.limits[cpu]')).toBe('f.yaml:8:5');
  });
  test('2 MB are read', async () => {
    const big = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata:\n  a: |\n${`    ${'x'.repeat(100)}\n`.repeat(20_000)}`;
    expect((await read(big)).names).toEqual(['big']);
  });
});
