/** A kind for tests of code that knows no kinds. */
import type { Kind } from '#api/kind.ts';
import type { KubeObject } from '#api/object.ts';

export interface Thing extends KubeObject {
  spec?: { size?: number };
  status?: { seen?: number };
}

export const thingKind: Kind<Thing> = {
  group: 'test.berth.dev',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  singular: 'thing',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  schema: {},
  columns: [],
  selectable: {},
  hasStatus: true,
  subresources: [],
  hasGeneration: true,
};

export const thing = (name: string, size = 0, more: Partial<Thing['metadata']> = {}): Thing => ({
  apiVersion: 'test.berth.dev/v1',
  kind: 'Thing',
  metadata: { name, namespace: 'default', ...more },
  spec: { size },
});
