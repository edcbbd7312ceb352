/** All that keeps a judged pod off one node, with the numbers. Meant for some nodes of a question, not for all of them. */
import type { Node, Taint } from '#api/kinds/core.ts';
import { findUntolerated } from '#api/taints.ts';
import { addressesClash } from '../columns/port-index.ts';
import { SpreadRun } from '../plugins/spread-filter.ts';
import type { PodView } from '../shapes/shape.ts';
import { apartOn } from './apart.ts';
import { unschedulableTaint } from './apply-edits.ts';
import { type Judged, type JudgedFilter, reservedAmount } from './judged.ts';
import { unmatchedBy } from './labels-wanted.ts';
import type { Obstacle } from './obstacle.ts';
import { unevenOn } from './uneven.ts';

/** In the order in which the plugins are asked; the first is the one that the scheduler names. */
export const obstaclesOn = (judged: Judged, row: number): readonly Obstacle[] => {
  const all = allOn(judged, row);
  const isCordoned = all.some(({ is }) => is === 'cordoned');
  const isNamed = all.some(one => one.is === 'unmatched' && one.requirements.some(({ isField }) => isField));
  return all.filter(one => {
    // The taint that comes with a cordon says nothing new.
    if (one.is === 'taint') return !isCordoned || one.taint.key !== unschedulableTaint;
    // Nor does this beside the very term.
    return one.is !== 'leftOut' || !isNamed;
  });
};

const allOn = (judged: Judged, row: number): readonly Obstacle[] => {
  const left: readonly Obstacle[] =
    judged.allowed === undefined || judged.allowed.has(row) ? [] : [{ plugin: 'NodeAffinity', is: 'leftOut' }];
  return [
    ...left,
    ...judged.filters.flatMap(filter => (filter.codes[row] === 0 ? [] : obstaclesOf(judged, filter, row))),
  ];
};

/** Why one plugin refuses one row. */
export const obstaclesOf = (judged: Judged, filter: JudgedFilter, row: number): readonly Obstacle[] => {
  const { name: plugin } = filter;
  const found = specific(judged, filter, row);
  if (found.length > 0) return found;
  const reasons = filter.active.run.explain?.(row) ?? [
    filter.active.plugin.reasons[filter.codes[row]! - 1]?.text ?? '',
  ];
  return [{ plugin, is: 'refused', reasons }];
};

const specific = (judged: Judged, filter: JudgedFilter, row: number): readonly Obstacle[] => {
  const { name: plugin } = filter;
  const { pod, columns } = judged;
  const node = columns.nodes[row] as Node;
  switch (plugin) {
    case 'NodeUnschedulable':
      return [{ plugin, is: 'cordoned' }];
    case 'NodeName':
      return [{ plugin, is: 'otherNode', wanted: pod.shape.nodeName }];
    case 'TaintToleration':
      return untoleratedOn(pod, node.spec?.taints ?? []).map(taint => ({ plugin, is: 'taint' as const, taint }));
    case 'NodeAffinity': {
      const own = unmatchedBy(pod.pod, node).map(unmatched => ({ plugin, ...unmatched }));
      const added: Obstacle = { plugin, is: 'unmatched', of: 'addedAffinity', requirements: [] };
      return filter.codes[row] === 2 ? [added, ...own] : own;
    }
    case 'NodePorts':
      return portsTaken(judged, row);
    case 'NodeResourcesFit':
      return shortagesOn(judged, filter, row);
    case 'PodTopologySpread':
      return filter.active.run instanceof SpreadRun ? unevenOn(judged, filter.active.run, row) : [];
    case 'InterPodAffinity':
      return apartOn(judged, row);
    default:
      return [];
  }
};

const refusing = ['NoSchedule', 'NoExecute'];

/** The taints that refuse the pod. Whether Gt and Lt count is the profile's secret: the reading that explains a refusal wins. */
export const untoleratedOn = (pod: PodView, taints: readonly Taint[]): readonly Taint[] => {
  const { tolerations } = pod.pod.spec;
  for (const comparison of [true, false]) {
    const found = taints.filter(taint => findUntolerated([taint], tolerations, refusing, { comparison }) !== undefined);
    if (found.length > 0) return found;
  }
  return [];
};

const portsTaken = ({ pod, columns, reserved }: Judged, row: number): readonly Obstacle[] => {
  const there = [...columns.podsOn[row]!.map(({ view }) => view), ...(reserved.get(row) ?? [])];
  return pod.shape.ports.flatMap(({ protocol, port, ip }) => {
    const heldBy = there
      .filter(({ shape }) =>
        shape.ports.some(other => other.port === port && other.protocol === protocol && addressesClash(ip, [other.ip])),
      )
      .map(({ key }) => key);
    return heldBy.length === 0 ? [] : [{ plugin: 'NodePorts', is: 'port' as const, protocol, port, heldBy }];
  });
};

const prefix = 'Insufficient ';

const shortagesOn = (judged: Judged, filter: JudgedFilter, row: number): readonly Obstacle[] => {
  const { pod, columns, reserved } = judged;
  const plugin = 'NodeResourcesFit';
  const { run } = filter.active;
  const trial = run.trial?.();
  trial?.reset(row);
  for (const other of reserved.get(row) ?? []) trial?.add(other);
  return (trial?.explain?.() ?? run.explain?.(row) ?? []).flatMap((reason): readonly Obstacle[] => {
    if (!reason.startsWith(prefix)) {
      const used = columns.podCount[row]!;
      return [{ plugin, is: 'pods', used, limit: columns.podLimit[row]!, reserved: reserved.get(row)?.length ?? 0 }];
    }
    const resource = reason.slice(prefix.length);
    const column = columns.resource(resource);
    const asked = pod.shape.usage.requests.amounts.get(resource) ?? 0;
    const kept = reservedAmount(judged, row, column);
    const allocatable = columns.allocatable[column]![row]!;
    const free = allocatable - columns.used[column]![row]! - kept;
    return [{ plugin, is: 'resource', resource, asked, free, short: asked - free, allocatable, reserved: kept }];
  });
};
