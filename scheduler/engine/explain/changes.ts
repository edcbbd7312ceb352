/**
 * The smallest changes that would make a pod fit. What obstacles suggest is put in order by how much is asked of people,
 * and then tried: only what was seen to work, by scheduling the pod with the change made, is given out.
 */
import type { Columns } from '../columns/columns.ts';
import { Engine } from '../engine.ts';
import type { Profile } from '../profile.ts';
import type { PodView } from '../shapes/shape.ts';
import { byDistance, distances } from './distance.ts';
import type { Edit, NamedPod } from './edit.ts';
import { named, podsToDelete, rowOfSinglePod } from './evictions.ts';
import { type Fixes, fixesFor } from './fixes.ts';
import { groupsOf } from './groups.ts';
import { type Judged, judgeEach } from './judged.ts';
import { newNodes } from './new-node.ts';
import { obstaclesOn } from './obstacles.ts';
import { Scratch } from './scratch.ts';

export interface Change {
  /** All of them together. */
  readonly edits: readonly Edit[];
  /** Where the pod then goes. */
  readonly node: string;
  /** Pods that it would push out, for changes of its priority. */
  readonly victims: readonly NamedPod[];
  /** See costOf: what the order is by. */
  readonly cost: number;
}

export interface ChangeOptions {
  readonly nowMs: number;
  /** Suggestions at most. */
  readonly limit: number;
  readonly priorityClasses: readonly { readonly name: string; readonly value: number }[];
}

/** Nodes whose obstacles are looked at one by one, from each group the nearest; and changes that are tried. */
const mostGroups = 16;
const nodesPerGroup = 2;
const nearestNodes = 8;
const mostTries = 64;
/** Suggestions that differ only in their numbers or nodes. */
const mostAlike = 2;

/**
 * For a pod that fits nowhere now. The columns are changed while this runs and are as before when it returns. Empty when
 * nothing helps, or the pod fits.
 */
export const smallestChanges = (
  pod: PodView,
  columns: Columns,
  profile: Profile,
  options: ChangeOptions,
): readonly Change[] => {
  const scratch = new Scratch(pod, columns, profile, options.nowMs);
  if (scratch.try([]) !== undefined) return [];
  const judged = judgeEach(pod, Engine.of(columns, profile));
  const ideas = [...ideasOf(judged), ...priorityIdeas(judged, options)].map(edits => ({
    edits,
    cost: costOf(edits, pod),
  }));
  ideas.sort((a, b) => a.cost - b.cost);
  const found: Change[] = [];
  const alike = new Map<string, number>();
  const seen = new Set<string>();
  let hasNewNode = false;
  for (const { edits, cost } of ideas) {
    if (found.length >= options.limit || scratch.tries >= mostTries) break;
    const key = JSON.stringify(edits);
    const kind = kindOf(edits);
    const isNewNode = edits.some(({ is }) => is === 'addNode');
    // Of these only the first: it is the least change of its sort.
    const most = ['lowerRequest', 'maxSkew', 'priority'].some(is => kind.includes(is)) ? 1 : mostAlike;
    if (seen.has(key) || (alike.get(kind) ?? 0) >= most || (isNewNode && hasNewNode)) continue;
    seen.add(key);
    if (found.some(({ edits: known }) => isMoreOfTheSame(known, edits))) continue;
    const change = triedOut(edits, scratch);
    if (change === undefined) continue;
    const shorter = JSON.stringify(change.edits);
    if (shorter !== key && seen.has(shorter)) continue;
    seen.add(shorter);
    alike.set(kind, (alike.get(kind) ?? 0) + 1);
    hasNewNode ||= isNewNode;
    found.push({ ...change, cost: change.edits === edits ? cost : costOf(change.edits, pod) });
  }
  return found.sort((a, b) => a.cost - b.cost);
};

/** The edits that are needed of those given; undefined when all together do not help. */
const triedOut = (edits: readonly Edit[], scratch: Scratch): Omit<Change, 'cost'> | undefined => {
  let tried = scratch.try(edits);
  if (tried === undefined) return undefined;
  let needed = edits;
  for (const edit of edits) {
    if (needed.length === 1) break;
    const fewer = needed.filter(other => other !== edit);
    const without = scratch.try(fewer);
    if (without === undefined) continue;
    needed = fewer;
    tried = without;
  }
  // What is left with a number in it then works on another node, where the number may be a better one: that is told by itself.
  return needed !== edits && needed.some(({ is }) => measured.has(is)) ? undefined : { edits: needed, ...tried };
};

/** All that is known to help, and more besides, without sparing the pod much. */
const isMoreOfTheSame = (known: readonly Edit[], edits: readonly Edit[]): boolean =>
  edits.length > known.length &&
  known.every(one =>
    edits.some(other => {
      if (kindOf([one]) !== kindOf([other])) return false;
      return (
        one.is !== 'lowerRequest' || other.is !== 'lowerRequest' || other.from - other.to > (one.from - one.to) / 2
      );
    }),
  );

const measured: ReadonlySet<Edit['is']> = new Set(['lowerRequest', 'shrinkPod', 'maxSkew', 'minDomains'] as const);

const kindOf = (edits: readonly Edit[]): string =>
  edits
    .map(edit => ('resource' in edit ? `${edit.is} ${edit.resource}` : edit.is))
    .sort()
    .join(' ');

const ideasOf = (judged: Judged): readonly (readonly Edit[])[] => {
  const ideas = [...rowsToLookAt(judged)].flatMap(row => ideasOn(judged, row));
  for (const node of newNodes(judged.pod, judged.columns)) ideas.push([{ is: 'addNode', node }]);
  return ideas;
};

/** The nearest of all and of each group of nodes that refuse for the same reasons, and where the least need go. */
const rowsToLookAt = (judged: Judged): ReadonlySet<number> => {
  const distance = distances(judged);
  const order = byDistance(judged, distance);
  const rows = new Set(order.slice(0, nearestNodes));
  for (const { nearest } of groupsOf(judged, order, distance).slice(0, mostGroups))
    for (const name of nearest.slice(0, nodesPerGroup)) rows.add(judged.columns.slotOf(name));
  const single = rowOfSinglePod(judged);
  if (single !== undefined) rows.add(single);
  return rows;
};

const ideasOn = (judged: Judged, row: number): (readonly Edit[])[] => {
  const fixes = obstaclesOn(judged, row).map(obstacle => fixesFor(obstacle, judged, row));
  const ideas = [...together(fixes)];
  const victims = podsToDelete(judged, row);
  if (victims !== undefined && victims.length > 0)
    ideas.push([{ is: 'deletePods', node: judged.columns.names[row]!, pods: victims.map(named) }]);
  return ideas;
};

/**
 * One obstacle: each of its fixes. Several: all by changes of the pod as far as they go, and all by changes of the
 * cluster; of each obstacle the first fix that there is.
 */
const together = (fixes: readonly Fixes[]): readonly (readonly Edit[])[] => {
  if (fixes.length === 1) return [...fixes[0]!.pod, ...fixes[0]!.cluster];
  const ways = [
    fixes.map(({ pod, cluster }) => pod[0] ?? cluster[0]),
    fixes.map(({ pod, cluster }) => cluster[0] ?? pod[0]),
    fixes.map(({ pod, cluster }) => pod.at(-1) ?? cluster.at(-1)),
  ];
  return ways.flatMap(way => {
    if (way.some(edits => edits === undefined)) return [];
    const edits = way.flatMap(edits => edits ?? []);
    return [edits.filter((edit, i) => edits.findIndex(other => isSame(other, edit)) === i)];
  });
};

const isSame = (a: Edit, b: Edit): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The least priority that lets the pod push others out: of a class if there is one, else a number. */
const priorityIdeas = (judged: Judged, { priorityClasses }: ChangeOptions): readonly (readonly Edit[])[] => {
  const { pod, columns, engine } = judged;
  if (engine.profile.preemption === undefined) return [];
  const from = pod.priority;
  const base: readonly Edit[] = pod.pod.spec.preemptionPolicy === 'Never' ? [{ is: 'mayPreempt' }] : [];
  const ideas: (readonly Edit[])[] = base.length === 0 ? [] : [base];
  const higher = priorityClasses
    .filter(({ name, value }) => value > from && !name.startsWith('system-'))
    .sort((a, b) => a.value - b.value);
  for (const { name, value } of higher) ideas.push([...base, { is: 'priority', className: name, from, to: value }]);
  const placed = new Set<number>();
  for (let i = 0; i < columns.count; i++)
    for (const { view } of columns.podsOn[columns.live[i]!]!) if (view.priority >= from) placed.add(view.priority);
  const least = [...placed].sort((a, b) => a - b).slice(0, mostPriorities);
  if (higher.length === 0)
    for (const priority of least)
      ideas.push([...base, { is: 'priority', className: undefined, from, to: priority + 1 }]);
  return ideas;
};

const mostPriorities = 4;

/** How much a suggestion asks of people: small numbers for what is done quickly and changes little. */
const costOf = (edits: readonly Edit[], pod: PodView): number =>
  edits.reduce((sum, edit) => sum + costOfOne(edit, pod), 0);

const costOfOne = (edit: Edit, { priority }: PodView): number => {
  switch (edit.is) {
    case 'lowerRequest':
      return 0.2 + (edit.from - edit.to) / Math.max(1, edit.from);
    case 'tolerate':
      return 0.5;
    case 'uncordon':
      return 0.4;
    case 'removeTaint':
      return edit.taint.key.startsWith('node.kubernetes.io/') ? 1.5 : 0.8;
    case 'labelNode':
      return 0.7;
    case 'dropNodeSelector':
    case 'dropRequirement':
      return 0.9;
    case 'maxSkew':
      return 0.4 + 0.1 * (edit.to - edit.from);
    case 'minDomains':
      return 0.5;
    case 'scheduleAnyway':
      return 0.9;
    case 'hostPort':
      return 0.8;
    case 'dropTerm':
      return 1.2;
    case 'shrinkPod':
      return 0.9 + (edit.from - edit.to) / Math.max(1, edit.from);
    case 'deletePods':
      return 0.6 + 0.5 * edit.pods.length + (edit.pods.some(other => other.priority > priority) ? 1 : 0);
    case 'addNode':
      return 1.6;
    case 'priority':
      return 1.3 + (edit.className === undefined ? 0.3 : 0);
    case 'mayPreempt':
      return 1;
  }
};
