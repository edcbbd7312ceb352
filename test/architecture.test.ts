/** The rules of docs/ARCHITECTURE.md that a compiler does not check: who may import whom, and which library lives where. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Layer → the layers it may import besides itself. A file belongs to the longest prefix that fits. */
const layers: Record<string, readonly string[]> = {
  base: [],
  api: ['base'],
  client: ['base', 'api'],
  'scheduler/engine': ['base', 'api'],
  'scheduler/controllers': ['base', 'api', 'client'],
  'scheduler/store': ['base'],
  'scheduler/registry': ['base', 'api', 'client', 'scheduler/store'],
  'scheduler/server': ['base', 'api', 'client', 'scheduler/store', 'scheduler/registry'],
  'scheduler/loops': ['base', 'api', 'client', 'scheduler/engine', 'scheduler/controllers'],
  scheduler: [
    'base',
    'api',
    'client',
    'scheduler/store',
    'scheduler/registry',
    'scheduler/server',
    'scheduler/loops',
    'scheduler/engine',
    'scheduler/controllers',
  ],
  'node-agent': ['base', 'api', 'client'],
  setup: ['base', 'node-agent'],
  cli: ['base', 'api', 'client', 'scheduler', 'scheduler/engine', 'node-agent', 'setup'],
};

/** npm package → the only places that may import it. */
const homes: Record<string, readonly string[]> = {
  dockerode: ['node-agent/docker/'],
  fastify: ['scheduler/server/'],
  '@fastify/websocket': ['scheduler/server/'],
  ws: ['scheduler/server/', 'node-agent/host/', 'cli/'],
  undici: ['client/http.ts', 'client/http/'],
  selfsigned: ['scheduler/server/'],
  protobufjs: ['api/protobuf.ts'],
  rfc6902: ['api/patch/'],
  commander: ['cli/'],
  '@prometheus-io/client': ['scheduler/server/'],
  'node:sqlite': ['scheduler/store/sqlite.ts'],
};

/** Platform-free folders: no import from Node itself. The exceptions are the shell files inside them. */
const platformFree = [
  'base/',
  'api/',
  'client/',
  'scheduler/engine/',
  'scheduler/controllers/',
  'scheduler/loops/',
].concat(['scheduler/registry/', 'scheduler/store/', 'node-agent/']);
const shell = JSON.parse(readFileSync(join(root, 'tsconfig.pure.json'), 'utf8')).exclude as readonly string[];

const walk = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry =>
    entry.isDirectory() ? walk(join(folder, entry.name)) : [join(folder, entry.name)],
  );
const sources = [...new Set(Object.keys(layers).map(layer => layer.split('/')[0]!))]
  .flatMap(walk)
  .filter(file => file.endsWith('.ts'));

const aliases = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).imports as Record<string, string>;
const importsOf = (file: string): string[] => {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+'([^']+)'|(?:^|\n)import\s+'([^']+)'|import\('([^']+)'\)/g,
  );
  return [...found].map(match => match[1] ?? match[2] ?? match[3]!);
};
const target = (file: string, specifier: string): string | undefined => {
  if (specifier.startsWith('.')) return relative(root, resolve(root, dirname(file), specifier));
  const alias = Object.keys(aliases).find(key => specifier.startsWith(key.slice(0, -1)));
  return alias && join(aliases[alias]!.slice(0, -1), specifier.slice(alias.length - 1));
};
const layerOf = (file: string): string | undefined =>
  Object.keys(layers)
    .filter(layer => file.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0];

describe('architecture', () => {
  test('a layer imports only the layers below it', () => {
    const wrong = sources.flatMap(file => {
      const layer = layerOf(file)!;
      return importsOf(file).flatMap(specifier => {
        const to = target(file, specifier);
        const other = to === undefined ? undefined : layerOf(to);
        return other === undefined || other === layer || layers[layer]!.includes(other)
          ? []
          : [`${file} → ${specifier}`];
      });
    });
    expect(wrong).toEqual([]);
  });

  test('a library is imported only in its home', () => {
    const wrong = sources.flatMap(file =>
      importsOf(file)
        .filter(specifier => homes[specifier] && !homes[specifier].some(home => file.startsWith(home)))
        .map(specifier => `${file} → ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  test('platform-free code does not import Node', () => {
    const wrong = sources
      .filter(
        file => platformFree.some(folder => file.startsWith(folder)) && !shell.some(path => file.startsWith(path)),
      )
      .flatMap(file =>
        importsOf(file)
          .filter(s => s.startsWith('node:'))
          .map(specifier => `${file} → ${specifier}`),
      );
    expect(wrong).toEqual([]);
  });

  test('an import across layers is written with #, one inside a layer with ./', () => {
    const wrong = sources.flatMap(file =>
      importsOf(file)
        .filter(specifier => specifier.startsWith('.') && layerOf(target(file, specifier)!) !== layerOf(file))
        .map(specifier => `${file} → ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  test('no two files import each other in a circle at run time', () => {
    const runtime = (file: string): string[] => {
      const text = readFileSync(join(root, file), 'utf8').replace(/import type[^;]*;/g, '');
      return [...text.matchAll(/(?:import|export)\s[^;'"]*?from\s+'([^']+)'/g)].flatMap(match => {
        const to = target(file, match[1]!);
        return to?.endsWith('.ts') ? [to] : [];
      });
    };
    const state = new Map<string, 'open' | 'done'>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      state.set(file, 'open');
      for (const next of runtime(file)) if (sources.includes(next)) visit(next, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of sources) visit(file, []);
    expect(circles).toEqual([]);
  });
});
