/**
 * Every node's verdict on a pod, and the sentence that says why none fits. Not on the usual way of a pod that is placed:
 * made for failures, preemption and explanations.
 */
import type { Columns } from './columns/columns.ts';
import { pinnedNames } from './columns/node-match.ts';
import type { Failure, Rejection, Verdicts } from './decision.ts';
import type { Engine } from './engine.ts';
import { fitError } from './fit-error.ts';
import { noNode, type Profile } from './profile.ts';
import { type ActiveFilter, applyFilters, NodeTrial, passing, type Runs } from './runs.ts';
import type { PodView } from './shapes/shape.ts';

/** By matchFields: none, the rows that are left, or a rejection before any node is looked at. */
type Restriction = { readonly rows: readonly number[] } | { readonly rejection: Rejection } | undefined;

/** NodeAffinity's pre-filter (SEMANTICS F.5): what the pod's required matchFields leave of the nodes. */
export const restrictionOf = (pod: PodView, columns: Columns, profile: Profile): Restriction => {
  if (!profile.narrowsByName) return undefined;
  const required = pod.pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined) return undefined;
  const names = pinnedNames(required);
  if (names === undefined) return undefined;
  if (names === 'conflict')
    return {
      rejection: {
        plugin: 'NodeAffinity',
        code: 'UnschedulableAndUnresolvable',
        reasons: ['pod affinity terms conflict'],
      },
    };
  return { rows: names.map(name => columns.slotOf(name)).filter(slot => slot >= 0) };
};

/** The refusal of a node when the pods nominated to it are counted in; undefined when there are none or it still fits. */
export const judgeWithNominated = (
  pod: PodView,
  slot: number,
  runs: Runs,
  engine: Engine,
): { readonly code: number; readonly reasons: readonly string[] | undefined } | undefined => {
  const others = engine.columns.nominations.before(pod, engine.columns.names[slot]!);
  if (others.length === 0) return undefined;
  const trial = new NodeTrial(runs, engine.workspace.scratch);
  trial.reset(slot);
  for (const other of others) trial.add(other);
  const code = trial.verdict();
  return code === 0 ? undefined : { code, reasons: trial.explain() };
};

/** Every filter asked about every node that the pod is not restricted from, pods nominated there counted in. */
export const judgeAll = (pod: PodView, engine: Engine): Verdicts => {
  const { columns, profile } = engine;
  const restriction = restrictionOf(pod, columns, profile);
  const rows = restriction !== undefined && 'rows' in restriction ? restriction.rows : undefined;
  const codes = rows === undefined ? codesOfAll(pod, engine) : codesOfFew(pod, engine, rows);
  const runs = engine.runsOf(pod.shape);
  const reasons = new Map<number, readonly string[]>();
  for (const name of columns.nominations.nodeNames()) {
    const slot = columns.slotOf(name);
    if (slot < 0 || codes[slot] === noNode) continue;
    const refusal = judgeWithNominated(pod, slot, runs, engine);
    if (refusal === undefined) continue;
    codes[slot] = refusal.code;
    reasons.set(slot, refusal.reasons ?? [profile.verdicts[refusal.code]!.text]);
  }
  return { codes, reasons, restrictedTo: rows };
};

const codesOfAll = (pod: PodView, engine: Engine): Uint8Array => {
  const standing = engine.standingOf(pod.shape);
  const codes = standing.verdict.slice();
  const { columns, workspace } = engine;
  if (standing.feasibleCount === 0) return codes;
  const count = passing(columns.live, columns.count, codes, workspace.left);
  applyFilters(standing.lateFilters, workspace.left, count, codes);
  return codes;
};

const codesOfFew = (pod: PodView, engine: Engine, rows: readonly number[]): Uint8Array => {
  const codes = new Uint8Array(engine.columns.capacity).fill(noNode);
  for (const row of rows) codes[row] = 0;
  applyFilters(engine.runsOf(pod.shape).filters, Uint32Array.from(rows), rows.length, codes);
  return codes;
};

/** All reasons for refusing a node that is refused. */
export const reasonsOf = (pod: PodView, engine: Engine, verdicts: Verdicts, slot: number): readonly string[] => {
  const code = verdicts.codes[slot]!;
  if (code === noNode) return [excludedReason];
  const known = verdicts.reasons.get(slot);
  if (known !== undefined) return known;
  const filter = engine.runsOf(pod.shape).filters.find(one => isOf(code, one));
  return filter?.run.explain?.(slot) ?? [engine.profile.verdicts[code]!.text];
};

const isOf = (code: number, { base, plugin }: ActiveFilter): boolean =>
  code > base && code <= base + plugin.reasons.length;

/** Why no node fits: the sentence, and which plugins refused. */
export const diagnose = (pod: PodView, engine: Engine, verdicts: Verdicts): Failure => {
  const { columns, profile, workspace } = engine;
  const counts = new Map<string, number>();
  const add = (reason: string, by: number): void => {
    if (by > 0) counts.set(reason, (counts.get(reason) ?? 0) + by);
  };
  const rowsPerCode = tallyCodes(verdicts, columns);
  for (const reasons of verdicts.reasons.values()) for (const reason of reasons) add(reason, 1);
  const plugins = new Set<string>();
  const tallied = new Set<number>();
  for (const filter of engine.runsOf(pod.shape).filters) {
    if (filter.run.tally === undefined) continue;
    const rows = workspace.left;
    let count = 0;
    for (let i = 0; i < columns.count; i++) {
      const row = columns.live[i]!;
      if (isOf(verdicts.codes[row]!, filter) && !verdicts.reasons.has(row)) rows[count++] = row;
    }
    filter.run.tally(rows, count, add);
    for (let code = filter.base + 1; code <= filter.base + filter.plugin.reasons.length; code++) tallied.add(code);
  }
  for (let code = 1; code < noNode; code++) {
    if (rowsPerCode.all[code] === 0) continue;
    const verdict = profile.verdicts[code]!;
    plugins.add(verdict.plugin);
    if (!tallied.has(code)) add(verdict.text, rowsPerCode.unexplained[code]!);
  }
  add(excludedReason, rowsPerCode.all[noNode]!);
  if (rowsPerCode.all[noNode]! > 0) plugins.add('NodeAffinity');
  return { plugins: [...plugins], message: fitError(columns.count, counts), reasons: counts, verdicts };
};

/** Nodes per code: all, and those whose reasons are not given one by one. */
const tallyCodes = (verdicts: Verdicts, columns: Columns): { all: Uint32Array; unexplained: Uint32Array } => {
  const all = new Uint32Array(256);
  for (let i = 0; i < columns.count; i++) all[verdicts.codes[columns.live[i]!]!]!++;
  const unexplained = all.slice();
  for (const row of verdicts.reasons.keys()) unexplained[verdicts.codes[row]!]!--;
  return { all, unexplained };
};

/** Of nodes that a pod's matchFields leave out. */
export const excludedReason = "node(s) didn't satisfy plugin(s) [NodeAffinity]";
