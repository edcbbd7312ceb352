/** Columns and cell texts that several kinds share; a kind without columns of its own shows Name and Age. */
import { age } from '#api/duration.ts';
import type { Column } from '#api/kind.ts';
import type { LabelSelector } from '#api/labels.ts';
import type { KubeObject } from '#api/object.ts';

/** What a cell shows for a value that is not set. */
export const none = '<none>';

export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, unique in its namespace (or in the cluster).',
  cell: object => object.metadata.name,
};

export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created.',
  cell: (object, nowMs) => age(object.metadata.creationTimestamp, nowMs),
};

export const defaultColumns: readonly Column<KubeObject>[] = [nameColumn, ageColumn];

interface ContainersHolder {
  readonly containers?: readonly { readonly name: string; readonly image?: string | undefined }[] | undefined;
}

/** The wide columns of a workload: names and images of its template's containers. */
export const containerColumns = <T>(templateOf: (object: T) => ContainersHolder | undefined): readonly Column<T>[] => [
  {
    name: 'Containers',
    type: 'string',
    description: 'Names of the containers of each pod.',
    priority: 1,
    cell: object => (templateOf(object)?.containers ?? []).map(container => container.name).join(','),
  },
  {
    name: 'Images',
    type: 'string',
    description: 'Images of the containers of each pod.',
    priority: 1,
    cell: object => (templateOf(object)?.containers ?? []).map(container => container.image ?? '').join(','),
  },
];

/** `a=b,c=d` in the order of keys, or `<none>`. */
export const labelsText = (labels: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(labels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(',') || none;

/** A selector as selector text in the order of keys, or `<none>`. */
export const selectorText = (selector: LabelSelector | undefined): string => {
  const terms = [
    ...Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` })),
    ...(selector?.matchExpressions ?? []).map(({ key, operator, values }) => {
      const list = `(${[...(values ?? [])].sort().join(',')})`;
      const texts: Readonly<Record<string, string>> = {
        In: `${key} in ${list}`,
        NotIn: `${key} notin ${list}`,
        DoesNotExist: `!${key}`,
      };
      return { key, text: texts[operator] ?? key };
    }),
  ];
  terms.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return terms.map(term => term.text).join(',') || none;
};
