/** The object that a patch makes of the stored one: the four patch types of the API. */

import { jsonPatch } from '#api/patch/json.ts';
import { mergePatch } from '#api/patch/merge.ts';
import { strategicPatch } from '#api/patch/strategic.ts';
import { nodeOf } from '#api/schema.ts';
import type { Patch } from '#client/client.ts';
import { appliedObject } from './managed-fields.ts';
import type { Write } from './write.ts';

/** The stored object is not changed. Throws BadRequest, Invalid or Conflict. */
export const patchedObject = (write: Write, patch: Patch): object => {
  const schema = nodeOf(write.target.kind.schema);
  if (patch.type === 'apply') return appliedObject(write, patch.body);
  const old = write.old!.value;
  switch (patch.type) {
    case 'json':
      return jsonPatch(schema, old, patch.body);
    case 'merge':
      return mergePatch(schema, old, patch.body);
    case 'strategic':
      return strategicPatch(schema, old, patch.body);
  }
};
