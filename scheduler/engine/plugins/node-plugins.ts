/** The filters that look at a node's name, its cordon and its taints (SEMANTICS F.5), and the taint score (F.8). */
import type { Taint } from '#api/kinds/core.ts';
import { findUntolerated, tolerates } from '#api/taints.ts';
import type { Columns } from '../columns/columns.ts';
import { changedNode, type FilterPlugin, type ScorePlugin, type WakeTest } from '../plugin.ts';
import type { Shape } from '../shapes/shape.ts';

const cordon = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };
const toleratesCordon = (shape: Shape): boolean =>
  shape.sample.spec.tolerations?.some(toleration => tolerates(toleration, cordon)) ?? false;

const isOpen: WakeTest = (_pod, change, columns) => columns.unschedulable[changedNode(change)] === 0;

/** Refuses cordoned nodes, unless the pod tolerates the taint that stands for the cordon. */
export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  scope: 'node',
  reasons: [{ text: 'node(s) were unschedulable', unresolvable: true }],
  prepare(shape, columns) {
    if (toleratesCordon(shape)) return undefined;
    return {
      isSilent: () => columns.cordoned === 0,
      check(nodes, count, verdict) {
        let refused = false;
        const { unschedulable } = columns;
        for (let i = 0; i < count; i++) {
          const node = nodes[i]!;
          if (unschedulable[node] === 0) continue;
          verdict[node] = 1;
          refused = true;
        }
        return refused;
      },
    };
  },
  wokenBy: { nodeAdded: isOpen, nodeChanged: isOpen },
};

/** For pods that name a node and are to be scheduled all the same; the API server binds others at once. */
export const nodeName: FilterPlugin = {
  name: 'NodeName',
  scope: 'node',
  reasons: [{ text: "node(s) didn't match the requested node name", unresolvable: true }],
  prepare(shape, columns) {
    const wanted = shape.nodeName;
    if (wanted === '') return undefined;
    return {
      check(nodes, count, verdict) {
        for (let i = 0; i < count; i++) if (columns.names[nodes[i]!] !== wanted) verdict[nodes[i]!] = 1;
        return count > 0;
      },
    };
  },
  wokenBy: { nodeAdded: () => true },
};

export interface TaintArguments {
  /** Upstream's feature gate TaintTolerationComparisonOperators: operators Lt and Gt. */
  readonly comparison?: boolean;
}

const refusing = ['NoSchedule', 'NoExecute'];

/** A number for each different list of taints, computed once per list: lists are few, nodes are many. */
const perList = (columns: Columns, of: (taints: readonly Taint[]) => number): ((list: number) => number) => {
  const known: number[] = [];
  return list => {
    for (let id = known.length; id <= list; id++) known.push(of(columns.taintLists[id]!));
    return known[list]!;
  };
};

/** Refuses nodes with a NoSchedule or NoExecute taint that the pod does not tolerate. */
export const taintToleration = ({ comparison = false }: TaintArguments = {}): FilterPlugin => {
  const isTolerated: WakeTest = (pod, change, columns) => {
    const taints = columns.nodes[changedNode(change)]?.spec?.taints;
    return findUntolerated(taints, pod.pod.spec.tolerations, refusing, { comparison }) === undefined;
  };
  return {
    name: 'TaintToleration',
    scope: 'node',
    reasons: [{ text: 'node(s) had untolerated taint(s)', unresolvable: true }],
    prepare(shape, columns) {
      const { tolerations } = shape.sample.spec;
      const refuses = perList(columns, taints =>
        findUntolerated(taints, tolerations, refusing, { comparison }) === undefined ? 0 : 1,
      );
      return {
        isSilent: () => isZeroForAll(columns, refuses),
        check(nodes, count, verdict) {
          let refused = false;
          for (let i = 0; i < count; i++) {
            const list = columns.taints[nodes[i]!]!;
            if (list === 0 || refuses(list) === 0) continue;
            verdict[nodes[i]!] = 1;
            refused = true;
          }
          return refused;
        },
      };
    },
    wokenBy: { nodeAdded: isTolerated, nodeChanged: isTolerated },
  };
};

const isZeroForAll = (columns: Columns, of: (list: number) => number): boolean => {
  for (let list = columns.taintLists.length - 1; list >= 0; list--) if (of(list) !== 0) return false;
  return true;
};

/** Fewer PreferNoSchedule taints that the pod does not tolerate are better. */
export const taintTolerationScore = ({ comparison = false }: TaintArguments = {}): ScorePlugin => ({
  name: 'TaintToleration',
  scope: 'node',
  normalization: 'reversed',
  prepare(shape, columns) {
    const preferred = (shape.sample.spec.tolerations ?? []).filter(
      ({ effect }) => !effect || effect === 'PreferNoSchedule',
    );
    const untolerated = perList(
      columns,
      taints =>
        taints.filter(
          taint =>
            taint.effect === 'PreferNoSchedule' &&
            !preferred.some(toleration => tolerates(toleration, taint, { comparison })),
        ).length,
    );
    return {
      isConstant: () => isZeroForAll(columns, untolerated),
      score(nodes, count, out) {
        for (let i = 0; i < count; i++) out[nodes[i]!] = untolerated(columns.taints[nodes[i]!]!);
        return true;
      },
    };
  },
});
