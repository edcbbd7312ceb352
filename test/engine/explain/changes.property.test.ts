/** Suggestions against the plain reference, over random clusters: each of them makes the pod fit, and lowered requests are exact. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import type { Columns } from '#engine/columns/columns.ts';
import { applyEdits } from '#engine/explain/apply-edits.ts';
import { type Change, smallestChanges } from '#engine/explain/changes.ts';
import type { Edit } from '#engine/explain/edit.ts';
import { explain } from '#engine/explain/why.ts';
import { defaultProfile } from '#engine/profile.ts';
import { type ClusterState, columnsOf, podKey, withChanges } from '#engine/world.ts';
import { decidePlainly } from '../reference/reference.ts';
import { bigPod, crowdedArbitrary, named, plainOf, stateArbitrary } from './clusters.ts';

const profile = defaultProfile();
const runs = Number(process.env['BERTH_PROPERTY_RUNS'] ?? 150);

const afterwards = (state: ClusterState, pod: Pod, edits: readonly Edit[]): { state: ClusterState; pod: Pod } => {
  const nodes = new Map<string, Node>(state.nodes.map(node => [node.metadata.name, node]));
  const pods = new Map<string, Pod>(state.pods.map(one => [podKey(one), one]));
  const edited = applyEdits({ pod, node: name => nodes.get(name), placed: key => pods.get(key) }, edits);
  if (edited === undefined) throw new Error(`cannot be made: ${JSON.stringify(edits)}`);
  return { state: withChanges(state, edited), pod: edited.pod };
};

const options = {
  nowMs: 0,
  limit: 20,
  priorityClasses: [
    { name: 'high', value: 3 },
    { name: 'higher', value: 10 },
  ],
};

const suggestionsFor = (state: ClusterState, pod: Pod): { columns: Columns; changes: readonly Change[] } => {
  const columns = columnsOf(state);
  return { columns, changes: smallestChanges(columns.view(pod), columns, profile, options) };
};

/** Every suggestion makes the pod fit on the node it names; the sorts of edits that were in them. */
const areTrue = (state: ClusterState, pod: Pod): readonly Edit['is'][] => {
  const { changes } = suggestionsFor(state, pod);
  if (decidePlainly(pod, plainOf(state)).feasible.length > 0) expect(changes).toEqual([]);
  for (const { edits, node, victims } of changes) {
    const changed = afterwards(state, pod, edits);
    const left = withChanges(changed.state, { removePods: victims.map(({ key }) => key) });
    const plain = decidePlainly(changed.pod, plainOf(left));
    expect([edits, plain.feasible]).toEqual([edits, expect.arrayContaining([node])]);
  }
  return changes.flatMap(({ edits }) => edits.map(({ is }) => is));
};

describe('a suggested change', () => {
  test('makes the pod fit, as the plain reference sees it', () => {
    const kinds = new Map<string, number>();
    fc.assert(
      fc.property(stateArbitrary, bigPod, (state, drawn) => {
        const pod = named(drawn);
        for (const is of areTrue(state, pod)) kinds.set(is, (kinds.get(is) ?? 0) + 1);
      }),
      { numRuns: 2 * runs },
    );
    // The vocabulary of the random clusters reaches every sort of change but these few.
    const reached = [
      'lowerRequest',
      'tolerate',
      'uncordon',
      'labelNode',
      'deletePods',
      'addNode',
      'dropNodeSelector',
    ].filter(is => !kinds.has(is));
    expect(reached).toEqual([]);
  });

  const isExact = (state: ClusterState, pod: Pod, seen: Set<string>): void => {
    for (const { edits } of suggestionsFor(state, pod).changes) {
      const [edit] = edits;
      if (edits.length !== 1 || (edit?.is !== 'lowerRequest' && edit?.is !== 'maxSkew')) continue;
      seen.add(edit.is);
      const less = edit.is === 'maxSkew' ? edit.to - 1 : edit.to + 1;
      const changed = afterwards(state, pod, [{ ...edit, to: less }]);
      const plain = decidePlainly(changed.pod, plainOf(state));
      expect([edit, plain.feasible]).toEqual([edit, []]);
    }
  };

  test('that lowers one request names the largest value that fits', () => {
    const seen = new Set<string>();
    const property = fc.property(stateArbitrary, bigPod, (state, drawn) => isExact(state, named(drawn), seen));
    fc.assert(property, { numRuns: 2 * runs });
    expect(seen).toContain('lowerRequest');
  });

  test('that raises maxSkew names the smallest value that fits, and is true', () => {
    const seen = new Set<string>();
    const property = fc.property(crowdedArbitrary, ([state, pod]) => {
      isExact(state, pod, seen);
      areTrue(state, pod);
    });
    fc.assert(property, { numRuns: 2 * runs });
    expect(seen).toContain('maxSkew');
  });

  test('was only tried: the columns are as before', () => {
    fc.assert(
      fc.property(stateArbitrary, bigPod, (state, drawn) => {
        const pod = named(drawn);
        const { columns } = suggestionsFor(state, pod);
        const fresh = columnsOf(state);
        const ask = (of: Columns) => explain(of.view(pod), of, profile, { limit: 10, nowMs: 0 });
        const view = (of: Columns) => {
          const { verdicts, message, feasible } = ask(of);
          return {
            message,
            feasible,
            verdicts: verdicts.map(({ node, refusedBy, distance }) => [node, refusedBy, distance]).sort(),
          };
        };
        expect(view(columns)).toEqual(view(fresh));
      }),
      { numRuns: runs },
    );
  });
});
