/**
 * Manifests with one thing wrong, thousands of them: each field of the example manifests taken away or replaced by
 * something of another shape. Whatever the server thinks of it, it must know what it thinks: never an internal error.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kindOf } from '#api/kinds.ts';
import { ask, startServer, type TestServer } from '#test/server/server.ts';

const root = join(import.meta.dirname, '..', '..');
const folders = ['manifests', join('test', 'data', 'docs-manifests')];

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
}

/** The first manifest of each set of fields: more of the same shape would tell nothing new. */
const manifests = (): readonly Manifest[] => {
  const seen = new Set<string>();
  const found: Manifest[] = [];
  for (const folder of folders) {
    for (const file of readdirSync(join(root, folder)).filter(name => name.endsWith('.yaml'))) {
      for (const document of parseAllDocuments(readFileSync(join(root, folder, file), 'utf8'))) {
        const value = document.toJS() as Manifest | null;
        if (!value || !kindOf(value.apiVersion, value.kind)) continue;
        const fresh = pathsOf(value).filter(path => !seen.has(shapeOf(value, path)));
        for (const path of fresh) seen.add(shapeOf(value, path));
        if (fresh.length > 0) found.push(value);
      }
    }
  }
  return found;
};

type Path = readonly (string | number)[];

const pathsOf = (value: unknown, path: Path = []): Path[] => {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Array.isArray(value) ? value.map((item, i) => [i, item] as const) : Object.entries(value);
  return [path, ...entries.flatMap(([key, item]) => pathsOf(item, [...path, key]))];
};

const shapeOf = ({ kind }: Manifest, path: Path): string =>
  `${kind}:${path.map(step => (typeof step === 'number' ? '#' : step)).join('.')}`;

const gone = Symbol('gone');
const wrongs: readonly unknown[] = [gone, null, '', 'x', -1, 1.5, true, [], [null], ['x'], {}];
/** Those that are tried as patches too. */
const wrongPatches = new Set<unknown>([gone, null, 'x', wrongs[7], wrongs[8]]);

const withWrong = (value: unknown, [step, ...rest]: Path, wrong: unknown): unknown => {
  if (step === undefined) return wrong;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  const inner = withWrong(copy[step], rest, wrong);
  if (inner !== gone) copy[step] = inner;
  else if (Array.isArray(copy)) copy.splice(step as number, 1);
  else delete copy[step];
  return copy;
};

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const urlOf = (manifest: Manifest): string => {
  const kind = kindOf(manifest.apiVersion, manifest.kind)!;
  const group = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  return `${group}${kind.namespaced ? '/namespaces/default' : ''}/${kind.plural}`;
};

const query = 'dryRun=All&fieldValidation=Warn&fieldManager=test';
const patchTypes = ['apply-patch+yaml', 'merge-patch+json', 'strategic-merge-patch+json'];
const patch = (type: string, body: object) => ({
  method: 'PATCH',
  headers: { 'content-type': `application/${type}` },
  body: Buffer.from(JSON.stringify(body)),
});

const nameOf = ({ kind }: Manifest): string => `there-${kind.toLowerCase()}`;

/** With the name that the URL has, as far as it has one: or the name would be all that is looked at. */
const renamed = (body: object, name: string): object => {
  const { metadata } = body as { metadata?: { name?: unknown } };
  if (typeof metadata !== 'object' || typeof metadata?.name !== 'string') return body;
  return { ...body, metadata: { ...metadata, name } };
};

/** An object of each kind, for patches to be tried on. */
const createOneOfEach = async (all: readonly Manifest[]): Promise<void> => {
  for (const kind of new Set(all.map(manifest => manifest.kind))) {
    const manifest = all.find(candidate => candidate.kind === kind)!;
    const body = { ...manifest, metadata: { name: nameOf(manifest) } };
    const { code, json } = await ask(server, urlOf(manifest), { method: 'POST', body });
    expect(code, JSON.stringify(json)).toBe(201);
  }
};

test('a manifest with anything wrong in it is never an internal error of the server', {
  timeout: 120_000,
}, async () => {
  const seen = new Set<string>();
  const broken: string[] = [];
  let asked = 0;
  const all = manifests();
  await createOneOfEach(all);
  for (const manifest of all) {
    for (const path of pathsOf(manifest)) {
      const shape = shapeOf(manifest, path);
      if (path.length === 0 || seen.has(shape)) continue;
      seen.add(shape);
      for (const wrong of wrongs) {
        const body = withWrong(manifest, path, wrong) as object;
        const what = `${shape} ${wrong === gone ? 'gone' : JSON.stringify(wrong)}`;
        const answers = await Promise.all([
          ask(server, `${urlOf(manifest)}?${query}`, { method: 'POST', body }),
          ...(wrongPatches.has(wrong) ? patchTypes : []).map(type =>
            ask(
              server,
              `${urlOf(manifest)}/${nameOf(manifest)}?${query}`,
              patch(type, renamed(body, nameOf(manifest))),
            ),
          ),
        ]);
        asked += answers.length;
        // A plain 500 without a reason is upstream's own answer to an apply of what does not fit the schema.
        for (const { code, json } of answers.filter(answer => answer.code >= 500))
          if (json?.reason !== undefined || !/^failed to create typed patch object/.test(json?.message))
            broken.push(`${what}: ${code} ${String(json?.message)}`);
      }
    }
  }
  expect(broken).toEqual([]);
  expect(asked).toBeGreaterThan(5000);
});
