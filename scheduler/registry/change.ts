/** The first step of a write: from what the client sent to the object as it would be, with the strictness it asked for. */
import { decodeObject, strictError, strictProblems } from '#api/decode.ts';
import type { KubeObject } from '#api/object.ts';
import { patchInvalid } from '#api/patch/errors.ts';
import { deepCopy } from '#base/deep.ts';
import { patchedObject } from './patch.ts';
import type { Draft } from './request.ts';
import type { Step } from './write.ts';

export const decodeChange: Step = write => {
  const { change, target, context, old, warnings } = write;
  const { kind } = target;
  const isPatch = change.verb === 'patch';
  const json = isPatch ? patchedObject(write, change.patch) : change.body;
  const { object, unknownFields } = decodeObject(kind, json);
  const duplicates = isPatch ? [] : (change.duplicateFields ?? []);
  // Absent means Warn, as upstream.
  if (context.fieldValidation === 'Strict') {
    const error = strictError(kind, unknownFields, duplicates);
    // A patch is found wanting only after it was applied, so upstream blames the patch as a whole.
    if (error !== undefined && isPatch)
      throw patchInvalid(change.patch.body, error.message.slice(error.message.indexOf('strict')));
    if (error !== undefined) throw error;
  } else if (context.fieldValidation !== 'Ignore')
    for (const problem of strictProblems(unknownFields, duplicates)) warnings.add(problem);
  write.draft = object as unknown as Draft;
  // What a subresource does not write may be left out; defaults must not find it missing.
  if (target.subresource === 'status' && old !== undefined) fillSpec(write.draft, old.value);
  const { resourceVersion } = object.metadata;
  if (old !== undefined && resourceVersion && (change.verb === 'update' || resourceVersion !== revOf(old.value)))
    write.wantedRev = resourceVersion;
};

const fillSpec = (draft: Draft, old: KubeObject): void => {
  const { spec } = old as unknown as Draft;
  if (spec !== undefined && Object.keys((draft.spec ?? {}) as object).length === 0) draft.spec = deepCopy(spec);
};

const revOf = (object: KubeObject): string | undefined => object.metadata.resourceVersion;
