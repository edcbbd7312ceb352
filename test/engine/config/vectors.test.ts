/** Upstream's unit tables (test/data/vectors) with their arguments given as a configuration, as a user would give them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import { Engine } from '#engine/engine.ts';
import type { FilterPlugin, ScorePlugin } from '#engine/plugin.ts';
import { createProfile } from '#engine/profile.ts';
import { prepareRuns } from '#engine/runs.ts';
import { columnsOf } from '../golden-world.ts';
import { scoreRows } from '../scores.ts';
import { faultsOf, profileOf, withArgs } from './yaml.ts';

interface Case {
  readonly id: string;
  readonly args?: Record<string, unknown> | null;
  readonly nodes: readonly Node[];
  readonly existingPods: readonly Pod[];
  readonly pod: Pod;
  readonly expected: Record<string, unknown>;
  readonly expectedError?: { readonly kind: string; readonly field?: string };
}

const cases = <T = Case>(file: string): readonly T[] =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, `../../data/vectors/${file}.json`), 'utf8').replaceAll(
      /"namespaces":\s*\[\s*""/g,
      '"namespaces": ["default"',
    ),
  ).cases;

const inDefault = (pod: Pod, i: number): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, name: pod.metadata.name ?? `p${i}`, namespace: pod.metadata.namespace || 'default' },
  spec: { ...pod.spec, containers: pod.spec?.containers ?? [] },
});

const worldOf = ({ nodes, existingPods, args, pod }: Case) => {
  const columns = columnsOf({
    nodes,
    pods: existingPods.map(inDefault),
    namespaces: (args?.['namespaces'] ?? []) as never,
  });
  const view = columns.view(inDefault({ ...pod, spec: { ...pod.spec, nodeName: '' } }, -1));
  return { columns, view, rows: Uint32Array.from(nodes.map(({ metadata }) => columns.slotOf(metadata.name))) };
};

const scoresOf = (plugin: ScorePlugin, vector: Case): Record<string, unknown> => {
  const { columns, view, rows } = worldOf(vector);
  const engine = Engine.of(columns, createProfile({ filters: [], scores: [{ plugin, weight: 1 }] }));
  const [result] = scoreRows(engine.runsOf(view.shape), rows, rows.length, columns.capacity);
  const skipped = Object.values(vector.expected).includes('Skip') ? 'Skip' : 0;
  return Object.fromEntries(
    vector.nodes.map(({ metadata }, i) => [metadata.name, result?.scores[rows[i]!] ?? skipped]),
  );
};

const codesOf = (plugin: FilterPlugin, vector: Case): Record<string, unknown> => {
  const { columns, view, rows } = worldOf(vector);
  const profile = createProfile({ filters: [plugin], scores: [] });
  const verdict = new Uint8Array(columns.capacity);
  prepareRuns(view.shape, columns, profile).filters[0]?.run.check(rows, rows.length, verdict);
  return Object.fromEntries(
    vector.nodes.map(({ metadata }, i) => {
      const reason = plugin.reasons[verdict[rows[i]!]! - 1];
      const code = reason?.unresolvable ? 'UnschedulableAndUnresolvable' : 'Unschedulable';
      return [metadata.name, reason === undefined ? 'Success' : code];
    }),
  );
};

const without = (args: Case['args'], ...fields: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(args ?? {}).filter(([name]) => !fields.includes(name)));

const strategyArgs = (args: Case['args']): object => {
  const { type, resources, shape } = args ?? {};
  const ratio = shape === undefined ? {} : { requestedToCapacityRatio: { shape } };
  return { scoringStrategy: { type, resources, ...ratio } };
};

const scored = [
  ['leastallocated-score', 'NodeResourcesFit', strategyArgs],
  ['mostallocated-score', 'NodeResourcesFit', strategyArgs],
  ['requestedtocapacityratio-score', 'NodeResourcesFit', strategyArgs],
  ['balancedallocation-score', 'NodeResourcesBalancedAllocation', (args: Case['args']) => without(args)],
  ['nodeaffinity-score', 'NodeAffinity', (args: Case['args']) => without(args)],
  ['interpodaffinity-score', 'InterPodAffinity', (args: Case['args']) => without(args, 'namespaces')],
] as const;

describe.each(scored)('%s', (file, plugin, argsOf) => {
  const all = cases(file).map(vector => [vector.id, vector] as const);

  test.each(all.filter(([, { expectedError }]) => expectedError === undefined))('%s', (_id, vector) => {
    const { scores } = profileOf(withArgs(plugin, argsOf(vector.args)));
    const score = scores.find(one => one.plugin.name === plugin)!.plugin;
    expect(scoresOf(score, vector)).toEqual(vector.expected);
  });

  test.each(all.filter(([, { expectedError }]) => expectedError !== undefined))('%s is refused', (_id, vector) => {
    const faults = faultsOf(withArgs(plugin, argsOf(vector.args)));
    const field = vector.expectedError!.field!.split(' ')[0];
    expect(faults).toEqual([expect.stringContaining(`profiles[0].pluginConfig[0].args.${field}: `)]);
  });
});

describe.each([
  ['noderesourcesfit-filter', 'NodeResourcesFit'],
  ['nodeaffinity-filter', 'NodeAffinity'],
])('%s', (file, name) => {
  const stated = cases(file).filter(({ args }) => Object.keys(args ?? {}).length > 0);

  test.each(stated.map(vector => [vector.id, vector] as const))('%s', (_id, vector) => {
    const plugin = profileOf(withArgs(name, vector.args)).filters.find(one => one.name === name)!;
    const expected = Object.entries(vector.expected).map(([node, wanted]) => [
      node,
      typeof wanted === 'string' ? wanted : (wanted as { code: string }).code,
    ]);
    expect(codesOf(plugin, vector)).toEqual(Object.fromEntries(expected));
  });
});

describe('brokenlinear', () => {
  interface Line {
    readonly id: string;
    readonly points: readonly { readonly utilization: number; readonly score: number }[];
    readonly samples: readonly { readonly x: number; readonly y: number }[];
  }

  /** A pod that asks for nothing on a node that is used to `x` percent. */
  const at = (x: number): Case => ({
    id: 'line',
    nodes: [
      { metadata: { name: 'n' }, status: { allocatable: { cpu: '100m', memory: '1', pods: '9', 'a.b/c': '100' } } },
    ] as never,
    existingPods: [
      {
        metadata: { name: 'on' },
        spec: { nodeName: 'n', containers: [{ name: 'c', resources: { requests: { 'a.b/c': String(x - 1) } } }] },
      },
    ] as never,
    pod: {
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', resources: { requests: { 'a.b/c': '1' } } }] },
    } as never,
    expected: {},
  });

  test.each(cases<Line>('brokenlinear').map(line => [line.id, line] as const))('%s', (_id, { points, samples }) => {
    const shape = points.map(point => ({ ...point, score: point.score }));
    const strategy = {
      type: 'RequestedToCapacityRatio',
      resources: [{ name: 'a.b/c' }],
      requestedToCapacityRatio: { shape },
    };
    const text = withArgs('NodeResourcesFit', { scoringStrategy: strategy });
    // Shapes that are no shapes of the API are refused: it has utilizations and scores of 0..100 and 0..10, rising.
    const isApi = points.every(
      ({ utilization: x, score: y }, i) =>
        x >= 0 && x <= 100 && y >= 0 && y <= 10 && (i === 0 || points[i - 1]!.utilization < x),
    );
    if (!isApi) {
      expect(faultsOf(text)).not.toEqual([]);
      return;
    }
    const score = profileOf(text).scores.find(({ plugin }) => plugin.name === 'NodeResourcesFit')!.plugin;
    for (const { x, y } of samples.filter(({ x }) => x >= 1 && x <= 100)) {
      // The plugin works on ten times the score, so that it truncates ten times later.
      expect(Math.trunc((scoresOf(score, at(x))['n'] as number) / 10)).toBe(y);
    }
  });
});
