/** Required pod affinity and anti-affinity that a node does not meet: around which key, and which pods it is about. */
import type { PlacedView } from '../columns/columns.ts';
import type { DomainCount } from '../columns/domain-count.ts';
import { countAllOf, countOf, releaseCounts, termsSelecting } from '../plugins/affinity-counts.ts';
import { selects, type Term } from '../shapes/term.ts';
import type { Judged } from './judged.ts';
import type { Obstacle } from './obstacle.ts';

/** Pods and domains that are named; the others are counted. */
const named = 5;

export const apartOn = (judged: Judged, row: number): readonly Obstacle[] => [
  ...togetherUnmet(judged, row),
  ...ownApart(judged, row),
  ...othersApart(judged, row),
];

const togetherUnmet = ({ pod, columns }: Judged, row: number): readonly Obstacle[] => {
  const terms = pod.shape.requiredAffinity;
  const counts = countAllOf(terms, columns);
  const startsGroup =
    counts.every(({ domain }) => domain.total === 0) && selectsItself(terms, pod.shape.labelSet, columns);
  const unmet = counts.flatMap(({ domain }, term): readonly Obstacle[] => {
    const id = domain.column.ids[row]!;
    if (id >= 0 && (startsGroup || domain.covering()[id]! > 0)) return [];
    const domains = id < 0 ? [] : valuesWith(domain);
    return [{ plugin, is: 'affinity', term, ...placeOf(domain, row), pods: [], podCount: 0, domains }];
  });
  releaseCounts(counts, columns);
  return unmet;
};

const plugin = 'InterPodAffinity';

const selectsItself = (
  terms: readonly Term[],
  labelSet: Judged['pod']['shape']['labelSet'],
  { surroundings }: Judged['columns'],
): boolean => terms.every(term => selects(term, labelSet, surroundings.namespaceLabels, true));

const placeOf = ({ column }: DomainCount, row: number) => ({
  topologyKey: column.key,
  domain: column.ids[row]! < 0 ? undefined : column.values[column.ids[row]!],
});

const valuesWith = (domain: DomainCount): readonly string[] => {
  const values: string[] = [];
  const counts = domain.covering();
  for (let id = 0; id < domain.column.values.length && values.length < named; id++)
    if (counts[id]! > 0 && domain.column.population[id]! > 0) values.push(domain.column.values[id]!);
  return values;
};

const ownApart = (judged: Judged, row: number): readonly Obstacle[] => {
  const { pod, columns } = judged;
  const { namespaceLabels } = columns.surroundings;
  return pod.shape.requiredAntiAffinity.flatMap((term, index): readonly Obstacle[] => {
    const count = countOf(term, columns);
    releaseCounts([count], columns);
    const pods = podsAround(judged, count.domain, row, ({ view }) =>
      selects(term, view.shape.labelSet, namespaceLabels, true),
    );
    return pods.length === 0
      ? []
      : [{ plugin, is: 'antiAffinity', term: index, ...placeOf(count.domain, row), ...some(pods), domains: [] }];
  });
};

const othersApart = (judged: Judged, row: number): readonly Obstacle[] =>
  termsSelecting(judged.pod.shape, judged.columns)
    .filter(({ role }) => role === 'requiredAntiAffinity')
    .flatMap((held, term): readonly Obstacle[] => {
      const pods = podsAround(judged, held.domain, row, other => other.held.includes(held));
      return pods.length === 0
        ? []
        : [{ plugin, is: 'othersAntiAffinity', term, ...placeOf(held.domain, row), ...some(pods), domains: [] }];
    });

const some = (pods: readonly PlacedView[]) => ({
  pods: pods.slice(0, named).map(({ view }) => view.key),
  podCount: pods.length,
});

/** The placed pods that `isMeant` in the row's domain. */
export const podsAround = (
  { columns }: Judged,
  { column }: DomainCount,
  row: number,
  isMeant: (pod: PlacedView) => boolean,
): readonly PlacedView[] => {
  const id = column.ids[row]!;
  if (id < 0) return [];
  const found: PlacedView[] = [];
  for (let i = 0; i < columns.count; i++) {
    const other = columns.live[i]!;
    if (column.ids[other] === id) for (const pod of columns.podsOn[other]!) if (isMeant(pod)) found.push(pod);
  }
  return found;
};
