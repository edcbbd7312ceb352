/** The kinds of group metrics.k8s.io: usage as kubectl top reads it. They are computed, never stored. */
import type { Static } from 'typebox';
import type { Column, Kind } from '#api/kind.ts';
import { listOf, objectSchema, resourceList, string, struct, time } from '#api/schema.ts';
import { objectMetaSchema } from './meta.ts';

const metrics = (name: string) => `io.k8s.metrics.pkg.apis.metrics.v1beta1.${name}`;
const group = { group: 'metrics.k8s.io', version: 'v1beta1' } as const;

// metav1.Duration is written as text, such as 15.02s.
const duration = string;

const containerMetricsSchema = struct(
  metrics('ContainerMetrics'),
  'What a container uses.',
  { name: string('Name of the container.'), usage: resourceList('What it uses, by resource.') },
  {},
);
export interface ContainerMetrics extends Static<typeof containerMetricsSchema> {}

const window = {
  timestamp: time('End of the time the figures are for.'),
  window: duration('Length of that time.'),
};

export const podMetricsSchema = objectSchema(
  { ...group, kind: 'PodMetrics', title: metrics('PodMetrics') },
  'What the containers of a pod use.',
  {
    metadata: objectMetaSchema,
    always: { ...window, containers: listOf(containerMetricsSchema, 'What each container uses.') },
  },
);
export interface PodMetrics extends Static<typeof podMetricsSchema> {}

export const nodeMetricsSchema = objectSchema(
  { ...group, kind: 'NodeMetrics', title: metrics('NodeMetrics') },
  'What a node uses.',
  { metadata: objectMetaSchema, always: { ...window, usage: resourceList('What it uses, by resource.') } },
);
export interface NodeMetrics extends Static<typeof nodeMetricsSchema> {}

const nameColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the resource',
  cell: (object: { metadata: { name: string } }) => object.metadata.name,
} satisfies Column<PodMetrics>;
const windowColumn = {
  name: 'Window',
  type: 'string',
  format: 'name',
  description: 'Length of the time the figures are for',
  cell: (object: { window: string }) => object.window,
} satisfies Column<PodMetrics>;

const metricsKind = {
  ...group,
  shortNames: [],
  categories: [],
  verbs: ['get', 'list'],
  selectable: {},
  hasStatus: false,
  hasGeneration: false,
  subresources: [],
} as const;

export const podMetricsKind: Kind<PodMetrics> = {
  ...metricsKind,
  kind: 'PodMetrics',
  plural: 'pods',
  singular: 'pod',
  namespaced: true,
  schema: podMetricsSchema,
  columns: [nameColumn, windowColumn],
};

export const nodeMetricsKind: Kind<NodeMetrics> = {
  ...metricsKind,
  kind: 'NodeMetrics',
  plural: 'nodes',
  singular: 'node',
  namespaced: false,
  schema: nodeMetricsSchema,
  columns: [nameColumn, windowColumn],
};
