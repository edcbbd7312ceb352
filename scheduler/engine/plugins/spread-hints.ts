/**
 * Which changes may make a node fit for a pod that PodTopologySpread refused: as upstream's isSchedulableAfterPodChange and
 * isSchedulableAfterNodeChange, as far as a change tells. The profile's default constraints count like a pod's own.
 */
import type { Columns } from '../columns/columns.ts';
import { changedNode, type FilterPlugin, type WakeTest } from '../plugin.ts';
import { namespaceOf, type Shape } from '../shapes/shape.ts';
import { constraintsOf, type DefaultConstraint, type StatedConstraint, statesOwn } from './spread-constraints.ts';

type Lookup = (shape: Shape, columns: Columns) => readonly StatedConstraint[];

/** `defaults`: the profile's, for pods that state no constraints. */
export const spreadHints = (defaults: readonly DefaultConstraint[]): FilterPlugin['wokenBy'] => {
  const constraints = lookup(defaults);
  const isAboutCounted: WakeTest = ({ pod, shape }, change, columns) => {
    if (!('pod' in change)) return false;
    const { namespace, labels } = change.pod.labelSet;
    return namespace === namespaceOf(pod) && constraints(shape, columns).some(({ matches }) => matches(labels));
  };
  const hasAllKeys = (labels: Readonly<Record<string, string>> = {}, shape: Shape, columns: Columns): boolean =>
    constraints(shape, columns).every(({ topologyKey }) => Object.hasOwn(labels, topologyKey));
  return {
    nodeAdded: ({ shape }, change, columns) =>
      hasAllKeys(columns.nodes[changedNode(change)]?.metadata.labels, shape, columns),
    nodeChanged: () => true,
    // With the node its domain may go, and with that the least count.
    nodeRemoved: ({ shape }, change, columns) =>
      change.type === 'nodeRemoved' && hasAllKeys(change.node.metadata.labels, shape, columns),
    podAdded: isAboutCounted,
    podRemoved: isAboutCounted,
    podChanged: isAboutCounted,
    selectorsChanged: ({ shape }) => !statesOwn(shape),
  };
};

/** Hints are asked for with every pod that is placed: what holds for a shape is worked out once (0.7 to 3 µs), then found (0.1). */
const lookup = (defaults: readonly DefaultConstraint[]): Lookup => {
  const known = new WeakMap<Shape, { readonly revision: number; readonly constraints: readonly StatedConstraint[] }>();
  return (shape, columns) => {
    const revision = columns.surroundings.selectorsRevision;
    const found = known.get(shape);
    if (found?.revision === revision) return found.constraints;
    const constraints = constraintsOf(shape, 'DoNotSchedule', defaults, columns);
    known.set(shape, { revision, constraints });
    return constraints;
  };
};
