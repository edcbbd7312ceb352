/** Which pods of a node would have to go for a pod to fit there, whoever they are: as few and as unimportant as can be. */
import type { PlacedView } from '../columns/columns.ts';
import { NodeTrial } from '../runs.ts';
import type { Edit, NamedPod } from './edit.ts';
import type { Judged } from './judged.ts';
import type { Shortage } from './obstacle.ts';

/** Pods of one node that are looked at; more are not on any node. */
const mostPods = 1000;

/**
 * The pods to delete; undefined when even an empty node would refuse. One pod alone if one is enough, of those the least
 * important and smallest; else all are taken off and put back as long as the pod still fits, the important ones first.
 */
export const podsToDelete = (judged: Judged, row: number): readonly PlacedView[] | undefined => {
  const { columns, engine, runs } = judged;
  const pods = [...columns.podsOn[row]!].sort(importantFirst).slice(0, mostPods);
  if (pods.length === 0) return undefined;
  const trial = new NodeTrial(runs, engine.workspace.scratch);
  const nominated = (judged.reserved.get(row) ?? []).filter(({ key }) => !pods.some(({ view }) => view.key === key));
  trial.reset(row);
  for (const other of nominated) trial.add(other);
  for (const { view } of pods) trial.remove(view);
  if (trial.verdict() !== 0) return undefined;
  const single = oneOf(pods, trial);
  if (single !== undefined) return [single];
  const victims: PlacedView[] = [];
  for (const pod of pods) {
    trial.add(pod.view);
    if (trial.verdict() === 0) continue;
    trial.remove(pod.view);
    victims.push(pod);
  }
  return victims;
};

/** The trial has all pods taken off; it is left so. */
const oneOf = (pods: readonly PlacedView[], trial: NodeTrial): PlacedView | undefined => {
  for (const { view } of pods) trial.add(view);
  let found: PlacedView | undefined;
  for (const pod of [...pods].reverse()) {
    trial.remove(pod.view);
    if (trial.verdict() === 0) found = pod;
    trial.add(pod.view);
    if (found !== undefined) break;
  }
  for (const { view } of pods) trial.remove(view);
  return found;
};

/** Higher priority first, then the smaller ones, so that few large ones go rather than many small ones. */
const importantFirst = (a: PlacedView, b: PlacedView): number =>
  b.view.priority - a.view.priority || sizeOf(a) - sizeOf(b) || (a.view.key < b.view.key ? -1 : 1);

const sizeOf = ({ view }: PlacedView): number => view.shape.usage.amounts.reduce((sum, amount) => sum + amount, 0);

export const named = ({ view }: PlacedView): NamedPod => ({ key: view.key, priority: view.priority });

/** One pod of the node with a smaller request, where that makes up for the shortage: it loses the least possible share. */
export const podToShrink = (
  { columns }: Judged,
  row: number,
  { resource, short }: Shortage,
): Extract<Edit, { is: 'shrinkPod' }> | undefined => {
  let best: { pod: PlacedView; has: number } | undefined;
  for (const pod of columns.podsOn[row]!) {
    const has = pod.view.shape.usage.requests.amounts.get(resource) ?? 0;
    // A pod that would be left with nothing might as well go.
    if (pod.view.terminating || has <= short) continue;
    if (best === undefined || pod.view.priority < best.pod.view.priority) best = { pod, has };
    else if (pod.view.priority === best.pod.view.priority && has > best.has) best = { pod, has };
  }
  if (best === undefined) return undefined;
  const { pod, has } = best;
  return { is: 'shrinkPod', node: columns.names[row]!, pod: named(pod), resource, from: has, to: has - short };
};

/**
 * The row where deleting a single pod makes up for what is short, and nothing but resources is in the way: of all such
 * pods the least important and smallest. Undefined when no single pod is enough anywhere.
 */
export const rowOfSinglePod = (judged: Judged): number | undefined => {
  const { columns, pod, filters, refusals, reserved } = judged;
  const fit = filters.find(({ name }) => name === 'NodeResourcesFit');
  if (fit === undefined) return undefined;
  const { usage } = pod.shape;
  let best: { row: number; pod: PlacedView } | undefined;
  for (let i = 0; i < columns.count; i++) {
    const row = columns.live[i]!;
    if (fit.codes[row] === 0 || refusals[row] !== 1 || reserved.has(row)) continue;
    const short = usage.columns.map(
      (column, r) => usage.amounts[r]! - (columns.allocatable[column]![row]! - columns.used[column]![row]!),
    );
    for (const other of columns.podsOn[row]!) {
      if (best !== undefined && !isLess(other, best.pod)) continue;
      const has = other.view.shape.usage;
      const isEnough = usage.columns.every((column, r) => {
        const at = has.columns.indexOf(column);
        return short[r]! <= 0 || (at >= 0 && has.amounts[at]! >= short[r]!);
      });
      if (isEnough) best = { row, pod: other };
    }
  }
  return best?.row;
};

const isLess = (a: PlacedView, b: PlacedView): boolean =>
  a.view.priority !== b.view.priority ? a.view.priority < b.view.priority : sizeOf(a) < sizeOf(b);
