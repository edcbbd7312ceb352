/** How objects are kept: with their revision as metadata.resourceVersion, frozen, sharing all that did not change. */
import type { KubeObject } from '#api/object.ts';
import { deepFreeze } from '#base/deep.ts';

export const stamp = (object: KubeObject, rev: number): KubeObject =>
  deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(rev) } });
