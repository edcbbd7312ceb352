/** Upstream's unit tables as vectors (test/data/vectors, see their `semantics`): each plugin alone, then preemption. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import { toTime } from '#base/clock.ts';
import type { Columns } from '#engine/columns/columns.ts';
import { Engine } from '#engine/engine.ts';
import type { FilterPlugin, ScorePlugin } from '#engine/plugin.ts';
import { affinityFilter } from '#engine/plugins/affinity-filter.ts';
import { affinityScore } from '#engine/plugins/affinity-score.ts';
import type { ScoringStrategy } from '#engine/plugins/allocation.ts';
import { balancedAllocation } from '#engine/plugins/balanced-allocation.ts';
import { resourcesFit } from '#engine/plugins/fit.ts';
import { brokenLinear, fitScore } from '#engine/plugins/fit-score.ts';
import { imageLocality, normalizedImageName } from '#engine/plugins/image-locality.ts';
import { nodeAffinity, nodeAffinityScore } from '#engine/plugins/node-affinity.ts';
import { nodeName, nodeUnschedulable, taintToleration, taintTolerationScore } from '#engine/plugins/node-plugins.ts';
import { nodePorts } from '#engine/plugins/node-ports.ts';
import { spreadFilter } from '#engine/plugins/spread-filter.ts';
import { spreadScore } from '#engine/plugins/spread-score.ts';
import { preempt } from '#engine/preemption/preempt.ts';
import { VictimSearch } from '#engine/preemption/victims.ts';
import { createProfile, defaultFilters, type Profile, systemSpread } from '#engine/profile.ts';
import { normalize, prepareRuns } from '#engine/runs.ts';
import { schedule } from '#engine/schedule.ts';
import type { PodView } from '#engine/shapes/shape.ts';
import { columnsOf } from './golden-world.ts';
import { scoreRows } from './scores.ts';

interface Case {
  readonly id: string;
  readonly about?: string;
  readonly args?: Record<string, unknown> | null;
  readonly nodes: readonly Node[];
  readonly existingPods: readonly Pod[];
  readonly pod: Pod;
  readonly notCandidates?: readonly string[];
  readonly expected: Record<string, unknown>;
  readonly expectedError?: unknown;
}

const vectors = <T = Case>(name: string): readonly T[] =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, `../data/vectors/${name}.json`), 'utf8')
      // The tables use the empty namespace where a real pod is in `default`.
      .replaceAll(/"namespaces":\s*\[\s*""/g, '"namespaces": ["default"'),
  ).cases;

const withNamespace = (pod: Pod, i: number): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, name: pod.metadata.name ?? `pod-${i}`, namespace: pod.metadata.namespace || 'default' },
  spec: { ...pod.spec, containers: pod.spec?.containers ?? [] },
});

const columnsFor = ({ nodes, existingPods, args }: Case): Columns => {
  const selector = (args?.['defaultSelector'] as { matchLabels?: Record<string, string> } | undefined)?.matchLabels;
  return columnsOf({
    nodes: nodes.map(node => ({ ...node, metadata: { ...node.metadata } })),
    pods: existingPods.map(withNamespace),
    namespaces: (args?.['namespaces'] ?? []) as never,
    services: (selector === undefined
      ? []
      : [{ metadata: { name: 's', namespace: 'default' }, spec: { selector } }]) as never,
  });
};

/** The filter alone, asked about every node. */
const filterVerdicts = (plugin: FilterPlugin, vector: Case): Record<string, unknown> => {
  const columns = columnsFor(vector);
  const { run } = prepareRuns(
    columns.view(withNamespace(vector.pod, -1)).shape,
    columns,
    createProfile({ filters: [plugin], scores: [] }),
  ).filters[0] ?? { run: undefined };
  const verdict = new Uint8Array(columns.capacity);
  const rows = columns.live.slice(0, columns.count);
  run?.check(rows, rows.length, verdict);
  return Object.fromEntries(
    [...rows].map(row => {
      const reason = plugin.reasons[verdict[row]! - 1];
      if (reason === undefined) return [columns.names[row]!, 'Success'];
      const code = reason.unresolvable ? 'UnschedulableAndUnresolvable' : 'Unschedulable';
      return [columns.names[row]!, { code, reasons: [...(run?.explain?.(row) ?? [reason.text])].sort() }];
    }),
  );
};

/** The expectation in the same form; some tables leave the reasons out. */
const expectVerdicts = (got: Record<string, unknown>, expected: Record<string, unknown>): void => {
  for (const [node, wanted] of Object.entries(expected)) {
    const { code, reasons } = wanted as { code: string; reasons?: string[] };
    if (typeof wanted === 'string') expect([node, got[node]]).toEqual([node, wanted]);
    else if (reasons === undefined) expect(got[node]).toMatchObject({ code });
    else expect([node, got[node]]).toEqual([node, { code, reasons: [...reasons].sort() }]);
  }
};

const scoresBy = (plugin: ScorePlugin, vector: Case): Record<string, unknown> => {
  const columns = columnsFor(vector);
  const profile = createProfile({ filters: [], scores: [{ plugin, weight: 1 }] });
  const view = columns.view(withNamespace({ ...vector.pod, spec: { ...vector.pod.spec, nodeName: '' } }, -1));
  const names = vector.nodes.map(({ metadata }) => metadata.name).filter(name => !vector.notCandidates?.includes(name));
  const rows = Uint32Array.from(names.map(name => columns.slotOf(name)));
  const [result] = scoreRows(Engine.of(columns, profile).runsOf(view.shape), rows, rows.length, columns.capacity);
  const skipped = Object.values(vector.expected).includes('Skip') ? 'Skip' : 0;
  return Object.fromEntries(names.map((name, i) => [name, result?.scores[rows[i]!] ?? skipped]));
};

const named = (cases: readonly Case[]) => cases.map(vector => [`${vector.id} ${vector.about ?? ''}`, vector] as const);
const valid = (name: string) => named(vectors(name).filter(({ expectedError }) => expectedError === undefined));

const filters: readonly (readonly [string, (args: NonNullable<Case['args']>) => FilterPlugin])[] = [
  ['nodeunschedulable-filter', () => nodeUnschedulable],
  ['nodename-filter', () => nodeName],
  ['tainttoleration-filter', args => taintToleration({ comparison: args['comparisonOperators'] === true })],
  ['nodeaffinity-filter', args => nodeAffinity(args as never)],
  ['nodeports-filter', () => nodePorts],
  ['noderesourcesfit-filter', args => resourcesFit(args as never)],
  ['podtopologyspread-filter', () => spreadFilter(systemSpread)],
  ['interpodaffinity-filter', () => affinityFilter],
];

describe.each(filters)('%s', (file, make) => {
  test.each(valid(file))('%s', (_name, vector) => {
    expectVerdicts(filterVerdicts(make(vector.args ?? {}), vector), vector.expected);
  });
});

const strategy = (args: NonNullable<Case['args']>): ScorePlugin => fitScore(args as unknown as ScoringStrategy);

const scores: readonly (readonly [string, (args: NonNullable<Case['args']>) => ScorePlugin])[] = [
  ['leastallocated-score', strategy],
  ['mostallocated-score', strategy],
  ['requestedtocapacityratio-score', strategy],
  ['balancedallocation-score', args => balancedAllocation(args['resources'] as never)],
  ['tainttoleration-score', args => taintTolerationScore({ comparison: args['comparisonOperators'] === true })],
  ['nodeaffinity-score', args => nodeAffinityScore(args as never)],
  ['imagelocality-score', () => imageLocality],
  ['podtopologyspread-score', () => spreadScore(systemSpread)],
  ['interpodaffinity-score', args => affinityScore(args as never)],
];

describe.each(scores)('%s', (file, make) => {
  test.each(valid(file))('%s', (_name, vector) => {
    expect(scoresBy(make(vector.args ?? {}), vector)).toEqual(vector.expected);
  });
});

describe('functions', () => {
  test.each(vectors<{ id: string; points: never[]; samples: { x: number; y: number }[] }>('brokenlinear'))(
    'broken line $id',
    ({ points, samples }) => {
      const line = brokenLinear(points);
      expect(samples.map(({ x }) => line(x))).toEqual(samples.map(({ y }) => y));
    },
  );

  test.each(vectors<{ id: string; reverse: boolean; scores: number[]; expected: number[] }>('normalize'))(
    'normalization $id',
    ({ reverse, scores, expected }) => {
      const values = Int32Array.from(scores);
      const plugin = { normalization: reverse ? 'reversed' : 'highest' } as ScorePlugin;
      const rows = Uint32Array.from(scores.keys());
      normalize({ plugin, run: { score: () => true }, weight: 1 }, rows, rows.length, values);
      expect([...values]).toEqual(expected);
    },
  );

  test.each(vectors<{ in: string; out: string }>('normalized-image-name'))('image name $in', vector => {
    expect(normalizedImageName(vector.in)).toBe(vector.out);
  });

  test('bin packing ranks nodes as the documentation works out', () => {
    interface Packing {
      readonly weights: Record<string, number>;
      readonly pod: Record<string, number | string>;
      readonly nodes: {
        name: string;
        available: Record<string, number | string>;
        used: Record<string, number | string>;
        score: number;
      }[];
    }
    const [packing] = vectors<Packing>('docs-binpacking') as [Packing];
    const quantities = (amounts: Record<string, number | string>) =>
      Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount).replace('B', '')]));
    const pod = (name: string, requests: Record<string, string>, spec: object = {}) =>
      ({
        metadata: { name },
        spec: { containers: [{ name: 'c', resources: { requests } }], ...spec },
      }) as unknown as Pod;
    const vector: Case = {
      id: 'docs',
      nodes: packing.nodes.map(
        ({ name, available }) =>
          ({
            metadata: { name },
            status: { allocatable: { ...quantities(available), pods: '110' } },
          }) as unknown as Node,
      ),
      existingPods: packing.nodes.map(({ name, used }) => pod(`on-${name}`, quantities(used), { nodeName: name })),
      pod: pod('p', quantities(packing.pod)),
      expected: {},
    };
    const plugin = fitScore({
      type: 'RequestedToCapacityRatio',
      resources: Object.entries(packing.weights).map(([name, weight]) => ({ name, weight })),
      shape: [
        { utilization: 0, score: 0 },
        { utilization: 100, score: 10 },
      ],
    });
    const got = scoresBy(plugin, vector);
    expect(got['node2'] as number).toBeGreaterThan(got['node1'] as number);
  });
});

// ── preemption ───────────────────────────────────────────────────────────────

interface PreemptionCase {
  readonly id: string;
  readonly kind: 'pickNode' | 'preempt' | 'dryRun';
  readonly filterPlugins: readonly string[] | null;
  readonly nodes: readonly Node[];
  readonly existingPods: readonly Pod[];
  readonly pod: Pod;
  readonly pdbs?: readonly never[];
  readonly expected: {
    readonly nominatedNodeAnyOf?: readonly string[];
    readonly nominatedNode?: string | null;
    readonly preempted?: readonly string[];
    readonly candidates?: readonly { node: string; victims: string[]; pdbViolations: number }[];
  };
}

/** Upstream's fake filters: one refuses all, one accepts all, one accepts the node of the pod's name. */
const fakeFilter = (name: string): FilterPlugin => ({
  name,
  scope: 'cluster',
  reasons: [{ text: 'injected filter failure', unresolvable: false }],
  prepare: (shape, columns) => ({
    check(nodes, count, verdict) {
      if (name === 'TrueFilter') return false;
      for (let i = 0; i < count; i++)
        if (name === 'FalseFilter' || columns.names[nodes[i]!] !== shape.sample.metadata.name) verdict[nodes[i]!] = 1;
      return count > 0;
    },
  }),
  wokenBy: {},
});

const profileOf = (names: readonly string[] | null) => {
  const all = defaultFilters();
  const filters = names?.map(name => all.find(plugin => plugin.name === name) ?? fakeFilter(name)) ?? all;
  return createProfile({ filters, scores: [] });
};

const preemptionWorld = ({ nodes, existingPods, pdbs }: PreemptionCase): Columns => {
  const pods = existingPods.map((pod, i) => {
    const startTime = pod.status?.startTime as number | string | undefined;
    const status = {
      ...pod.status,
      ...(typeof startTime === 'number' ? { startTime: toTime(startTime * 1000) } : {}),
    };
    return withNamespace({ ...pod, status }, i);
  });
  return columnsOf({
    nodes,
    pods,
    pdbs: (pdbs ?? []).map((pdb: object, i) => ({ metadata: { name: `pdb-${i}` }, ...pdb })) as never,
  });
};

/** Every node tried, also those that the pod fits on. */
const dryRun = (view: PodView, columns: Columns, profile: Profile) => {
  const search = new VictimSearch(view, Engine.of(columns, profile), 1e12);
  return [...columns.live.subarray(0, columns.count)].flatMap(slot => {
    const found = search.on(slot);
    if ('reasons' in found || found.victims.length === 0) return [];
    const victims = found.victims.map(({ view }) => view.pod.metadata.name).sort();
    return [{ node: columns.names[slot], victims, pdbViolations: found.pdbViolations }];
  });
};

describe('preemption', () => {
  const cases = vectors<PreemptionCase>('preemption');
  const byId = new Map(cases.map(one => [one.id, one]));

  // What upstream's table adds to these rows is not in the vectors: 024 has the input of 017 and the opposite outcome (its
  // nodes were marked unresolvable beforehand); 007 and 008 have the same input and different outcomes, 009 and 021 pick
  // among pods that differ in nothing (their start times are all written as 0).
  const incomplete = ['preemption-007', 'preemption-008', 'preemption-009', 'preemption-021', 'preemption-024'];

  test.each([
    ['preemption-017', 'preemption-024'],
    ['preemption-007', 'preemption-008'],
  ])('%s and %s differ in nothing but the outcome', (one, other) => {
    const inputOf = ({ id: _, expected: __, ...input }: PreemptionCase) => input;
    expect(inputOf(byId.get(one)!)).toEqual(inputOf(byId.get(other)!));
    expect(byId.get(one)!.expected).not.toEqual(byId.get(other)!.expected);
  });

  test.each(incomplete)('%s: all start times are the same', id => {
    const starts = byId.get(id)!.existingPods.map(({ status }) => status?.startTime ?? 0);
    expect(new Set(starts).size).toBe(1);
  });

  const tested = cases.filter(({ id }) => !incomplete.includes(id));

  test.each(tested.map(one => [`${one.id} ${one.kind}`, one] as const))('%s', (_name, vector) => {
    const columns = preemptionWorld(vector);
    const profile = profileOf(vector.filterPlugins);
    const pod = withNamespace(vector.pod, -1);
    const view = columns.view(pod);
    const { expected } = vector;
    if (expected.candidates !== undefined) {
      expect(dryRun(view, columns, profile)).toEqual(
        expected.candidates.map(one => ({ ...one, victims: [...one.victims].sort() })),
      );
      return;
    }
    const decision = schedule(view, columns, profile);
    expect(decision.node).toBeUndefined();
    const result = preempt(decision, columns, profile, { nowMs: 1e12, offset: () => 0 });
    const nameOf = (slot: number): string => columns.names[slot]!;
    const victims = (of: (typeof result.candidates)[number]) =>
      of.victims.map(({ view }) => view.pod.metadata.name).sort();
    if (expected.nominatedNodeAnyOf !== undefined)
      expect(expected.nominatedNodeAnyOf).toEqual(expect.arrayContaining(result.best.map(({ slot }) => nameOf(slot))));
    if (expected.nominatedNodeAnyOf !== undefined) expect(result.best.length).toBeGreaterThan(0);
    if (expected.nominatedNode !== undefined) {
      const [best] = result.best;
      expect(best === undefined ? null : nameOf(best.slot)).toBe(expected.nominatedNode);
      expect(best === undefined ? [] : victims(best)).toEqual([...(expected.preempted ?? [])].sort());
    }
  });
});
