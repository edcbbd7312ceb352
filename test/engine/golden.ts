/** Compares the engine's decisions with those of the real kube-scheduler, in the format of test/data/golden/FORMAT.md. */
import { isDeepStrictEqual } from 'node:util';
import type { Node, Pod } from '#api/kinds/core.ts';
import type { Columns, PlacedView } from '#engine/columns/columns.ts';
import type { Decision } from '#engine/decision.ts';
import { Engine } from '#engine/engine.ts';
import { excludedReason, judgeAll, reasonsOf } from '#engine/judge.ts';
import { type Preemption, preempt } from '#engine/preemption/preempt.ts';
import { noNode, type Profile } from '#engine/profile.ts';
import { firstOfTies, schedule } from '#engine/schedule.ts';
import type { PodView } from '#engine/shapes/shape.ts';
import { columnsOf, profileFor, type World } from './golden-world.ts';
import { scoreRows } from './scores.ts';

export interface GoldenCase {
  readonly case: World & { readonly name: string; readonly pod: Pod };
  readonly expected: Record<string, unknown> & { readonly best?: readonly string[] };
}

export interface Mismatch {
  readonly name: string;
  readonly field: string;
  readonly expected: unknown;
  readonly got: unknown;
}

type Outcome = Record<string, unknown>;

// Upstream's default profile has dynamic resources on; without claims that plugin gives every node 0. Berth has no claims.
const noClaims = { DynamicResources: 0 };

export const checkCase = (golden: GoldenCase, source: string): readonly Mismatch[] => {
  const { name, pod } = golden.case;
  const columns = columnsOf(golden.case);
  const profile = profileFor(`${source} ${name}`);
  const view = columns.view(pod);
  const decision = schedule(view, columns, profile, firstOfTies);
  const got = outcomeOf(decision, view, columns, profile);
  const { preemption, preemptionAlternatives, ...expected } = golden.expected as Outcome;
  const mismatches: Mismatch[] = [];
  const expect = (field: string, wanted: unknown, had: unknown): void => {
    if (!isDeepStrictEqual(wanted, had)) mismatches.push({ name, field, expected: wanted, got: had });
  };
  const fields = new Set([...Object.keys(expected), ...Object.keys(got)]);
  fields.delete('preemption');
  for (const field of fields) {
    const wanted = expected[field];
    if (field === 'nodes') compareNodes(wanted as Outcome, got['nodes'] as Outcome, expect);
    else expect(field, sortedIfSet(field, wanted), sortedIfSet(field, got[field]));
  }
  if (decision.node !== undefined && !(golden.expected.best ?? []).includes(decision.node.name))
    expect('node taken', golden.expected.best, decision.node.name);
  comparePreemption(preemption as Outcome, preemptionAlternatives as Outcome[], got['preemption'] as Outcome, expect);
  return mismatches;
};

type Expect = (field: string, wanted: unknown, had: unknown) => void;

const sortedIfSet = (field: string, value: unknown): unknown =>
  (field === 'best' || field === 'preFilterNodes') && Array.isArray(value) ? [...value].sort() : value;

const compareNodes = (wanted: Outcome = {}, got: Outcome = {}, expect: Expect): void => {
  expect('nodes', Object.keys(wanted).sort(), Object.keys(got).sort());
  for (const [node, verdict] of Object.entries(wanted)) expect(`nodes.${node}`, verdict, got[node]);
};

const comparePreemption = (
  wanted: Outcome | undefined,
  alternatives: readonly Outcome[] | undefined,
  got: Outcome | undefined,
  expect: Expect,
): void => {
  if (wanted === undefined || got === undefined) {
    expect('preemption', wanted, got);
    return;
  }
  const all = [wanted, ...(alternatives ?? [])];
  for (const field of new Set([...Object.keys(wanted), ...Object.keys(got)])) {
    if (field === 'candidates' && alternatives !== undefined) {
      const candidates = got['candidates'] as Record<string, unknown>;
      for (const [node, candidate] of Object.entries(candidates)) {
        const accepted = all.map(one => (one['candidates'] as Record<string, unknown>)[node]);
        if (!accepted.some(one => isDeepStrictEqual(inOrder(one), inOrder(candidate))))
          expect(`preemption.candidates.${node}`, accepted, candidate);
      }
      continue;
    }
    if (field === 'bestNodes' && alternatives !== undefined) {
      const accepted = new Set(all.flatMap(one => one['bestNodes'] as string[]));
      for (const node of got['bestNodes'] as string[])
        if (!accepted.has(node)) expect('preemption.bestNodes', [...accepted], node);
      continue;
    }
    expect(`preemption.${field}`, inOrder(wanted[field]), inOrder(got[field]));
  }
};

/** Lists of names are sets in the format: sorted before they are compared, at any depth. */
const inOrder = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(inOrder).sort();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inOrder(item)]));
};

const outcomeOf = (decision: Decision, view: PodView, columns: Columns, profile: Profile): Outcome => {
  const { failure } = decision;
  const result: Outcome = { outcome: decision.outcome, podRequest: podRequestOf(view) };
  if (failure?.preEnqueue !== undefined) return { ...result, preEnqueue: failure.preEnqueue, feasibleCount: 0 };
  if (columns.count === 0) return { ...result, feasibleCount: 0, message: failure?.message };
  if (failure?.preFilter !== undefined) Object.assign(result, { preFilter: failure.preFilter, feasibleCount: 0 });
  else Object.assign(result, judged(decision, view, columns, profile));
  if (failure === undefined) return result;
  const preemption = preempt(decision, columns, profile, { nowMs: now, offset: () => 0 });
  return { ...result, message: failure.message + preemption.suffix, preemption: preemptionOf(preemption, columns) };
};

const now = Date.parse('2026-06-01T00:00:00Z');

const podRequestOf = ({ shape }: PodView): Outcome => {
  const { amounts, nonZeroCpuMilli, nonZeroMemoryBytes } = shape.usage.requests;
  const scalars = [...amounts].filter(([name]) => !['cpu', 'memory', 'ephemeral-storage'].includes(name));
  return {
    milliCPU: amounts.get('cpu') ?? 0,
    memory: amounts.get('memory') ?? 0,
    ephemeralStorage: amounts.get('ephemeral-storage') ?? 0,
    nonZeroMilliCPU: nonZeroCpuMilli,
    nonZeroMemory: nonZeroMemoryBytes,
    ...(scalars.length === 0 ? {} : { scalar: Object.fromEntries(scalars) }),
  };
};

/** Verdict and scores of every node, as the golden data lists them. */
const judged = (decision: Decision, view: PodView, columns: Columns, profile: Profile): Outcome => {
  const engine = Engine.of(columns, profile);
  const verdicts = judgeAll(view, engine);
  const { codes, restrictedTo } = verdicts;
  const nodes: Record<string, Outcome> = {};
  const feasible: number[] = [];
  for (const slot of columns.live.subarray(0, columns.count)) {
    const code = codes[slot]!;
    const verdict = profile.verdicts[code];
    if (code === 0) {
      feasible.push(slot);
      nodes[columns.names[slot]!] = { feasible: true };
    } else if (verdict === undefined || code === noNode)
      nodes[columns.names[slot]!] = {
        feasible: false,
        code: 'UnschedulableAndUnresolvable',
        reasons: [excludedReason],
      };
    else
      nodes[columns.names[slot]!] = {
        feasible: false,
        plugin: verdict.plugin,
        code: verdict.unresolvable ? 'UnschedulableAndUnresolvable' : 'Unschedulable',
        reasons: [...reasonsOf(view, engine, verdicts, slot)].sort(),
      };
  }
  const result: Outcome = { nodes, feasibleCount: feasible.length };
  // The data names the restriction only where the pod was placed.
  if (restrictedTo !== undefined && decision.node !== undefined) result['preFilterNodes'] = pinned(view);
  if (decision.shortcut !== undefined) result['shortcut'] = decision.shortcut;
  if (decision.node === undefined) return result;
  if (decision.shortcut !== undefined) return { ...result, best: [decision.node.name] };
  const rows = Uint32Array.from(feasible);
  const scores = scoreRows(engine.runsOf(view.shape), rows, rows.length, columns.capacity);
  const totals = new Map<number, number>();
  for (const slot of feasible) {
    const weighted = scores.map(score => [score.plugin, score.weight * score.scores[slot]!] as const);
    const total = weighted.reduce((sum, [, score]) => sum + score, 0);
    totals.set(slot, total);
    Object.assign(nodes[columns.names[slot]!]!, { scores: { ...Object.fromEntries(weighted), ...noClaims }, total });
  }
  const most = Math.max(...totals.values());
  result['best'] = feasible.filter(slot => totals.get(slot) === most).map(slot => columns.names[slot]!);
  // The quick way must have come to the same total as the plain one.
  if (decision.score !== most) result['score of the decision'] = decision.score;
  if (decision.ties !== (result['best'] as string[]).length) result['ties of the decision'] = decision.ties;
  return result;
};

const pinned = (view: PodView): readonly string[] => {
  const required = view.pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const names = required?.nodeSelectorTerms.flatMap(term =>
    (term.matchFields ?? []).filter(({ operator }) => operator === 'In').flatMap(({ values }) => values ?? []),
  );
  return [...new Set(names)];
};

const preemptionOf = (preemption: Preemption, columns: Columns): Outcome => {
  const nameOf = (slot: number): string => columns.names[slot]!;
  const victim = ({ view }: PlacedView): string => view.key;
  const rejected = preemption.vain.map(({ slot, reasons }) => [nameOf(slot), [...reasons].sort()]);
  return {
    eligible: preemption.ineligible === undefined,
    ...(preemption.ineligible === undefined ? {} : { notEligibleReason: preemption.ineligible }),
    candidates: Object.fromEntries(
      preemption.candidates.map(({ slot, victims, pdbViolations }) => [
        nameOf(slot),
        { victims: victims.map(victim).sort(), pdbViolations },
      ]),
    ),
    ...(rejected.length === 0 ? {} : { rejected: Object.fromEntries(rejected) }),
    bestNodes: preemption.best.map(({ slot }) => nameOf(slot)).sort(),
    nominatedNodeName: preemption.nomination === 'set' ? 'one of bestNodes' : preemption.nomination,
    ...(preemption.error === undefined ? {} : { error: preemption.error }),
  };
};

export interface GoldenSequence {
  readonly workload: World & {
    readonly name: string;
    readonly templates: Readonly<Record<string, Pod>>;
    readonly ops: readonly (readonly [string, string | Node, string?])[];
  };
  readonly results: readonly ({ f: number; best?: string; score?: number; node?: string; msg?: string } | null)[];
}

/** Replays a sequence; stops at the first step that differs, as everything after it would follow from that. */
export const checkSequence = ({ workload, results }: GoldenSequence, source: string): readonly Mismatch[] => {
  const columns = columnsOf(workload);
  const profile = profileFor(`${source} ${workload.name}`);
  const order = new Map(workload.nodes.map((node, i) => [node.metadata.name, i]));
  const nodes = new Map(workload.nodes.map(node => [node.metadata.name, node]));
  for (const [step, op] of workload.ops.entries()) {
    const [verb, subject, template] = op;
    if (verb === 'node+') {
      const node = subject as Node;
      order.set(node.metadata.name, order.size);
      nodes.set(node.metadata.name, node);
      columns.setNode(node);
    } else if (verb === 'cordon' || verb === 'uncordon') {
      const was = nodes.get(subject as string)!;
      const node = { ...was, spec: { ...was.spec, unschedulable: verb === 'cordon' } };
      nodes.set(node.metadata.name, node);
      columns.setNode(node);
    } else if (verb === 'delete') {
      for (const namespace of namespacesOf(workload)) columns.removePod(`${namespace}/${subject as string}`);
    } else {
      const pod = podOf(workload.templates[template!]!, subject as string);
      const got = stepOf(pod, { columns, profile, order });
      const wanted = results[step];
      if (!isDeepStrictEqual(got, wanted))
        return [{ name: workload.name, field: `step ${step}`, expected: wanted, got }];
    }
  }
  return [];
};

const namespacesOf = ({ templates }: GoldenSequence['workload']): ReadonlySet<string> =>
  new Set(Object.values(templates).map(({ metadata }) => metadata.namespace ?? 'default'));

const podOf = (template: Pod, name: string): Pod => ({
  ...template,
  metadata: { ...template.metadata, name },
});

interface Replay {
  readonly columns: Columns;
  readonly profile: Profile;
  /** Index of each node by name. */
  readonly order: ReadonlyMap<string, number>;
}

const stepOf = (pod: Pod, { columns, profile, order }: Replay): Outcome => {
  const view = columns.view(pod);
  const decision = schedule(view, columns, profile, firstOfTies);
  const { node, feasible: f } = decision;
  if (node === undefined) return { f, msg: decision.failure?.message };
  const best = judged(decision, view, columns, profile)['best'] as string[];
  columns.placeView(view, node.name);
  const indexes = best.map(name => order.get(name)!).sort((a, b) => a - b);
  return {
    f,
    best: rangesOf(indexes),
    ...(decision.score === undefined ? {} : { score: decision.score }),
    node: node.name,
  };
};

/** `0-3,7` */
const rangesOf = (indexes: readonly number[]): string => {
  const ranges: [number, number][] = [];
  for (const index of indexes) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
};
