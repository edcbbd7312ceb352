/** The first step of a write: from what the client sent to the object as it would be, with the strictness it asked for. */
import { cannotBeHandled, decodeObject, strictProblems, whyUnhandled } from '#api/decode.ts';
import type { KubeObject } from '#api/object.ts';
import { goPrinted, patchInvalid } from '#api/patch/errors.ts';
import { ApiError, badRequest } from '#api/status.ts';
import { deepCopy } from '#base/deep.ts';
import { patchedObject } from './patch.ts';
import type { Draft } from './request.ts';
import type { Step, Write } from './write.ts';

export const decodeChange: Step = write => {
  const { change, target, context, old, warnings } = write;
  const json = change.verb === 'patch' ? patchedObject(write, change.patch) : change.body;
  const { object, unknownFields } = decoded(write, json);
  const unknown = strictProblems(unknownFields, []);
  const faults = change.strictFaults ?? [];
  const problems = change.verb === 'patch' ? [...faults, ...unknown] : [...unknown, ...faults];
  // Absent means Warn, as upstream.
  if (context.fieldValidation === 'Strict' && problems.length > 0) throw refusedStrictly(write, json, problems);
  if (context.fieldValidation !== 'Ignore') for (const problem of problems) warnings.add(problem);
  write.draft = object as unknown as Draft;
  // What a subresource does not write may be left out; defaults must not find it missing.
  if (target.subresource === 'status' && old !== undefined) fillSpec(write.draft, old.value);
  // As upstream: an object of no revision.
  if (object.metadata.resourceVersion === '0') delete object.metadata.resourceVersion;
  const { resourceVersion } = object.metadata;
  if (old !== undefined && resourceVersion && (change.verb === 'update' || resourceVersion !== revOf(old.value)))
    write.wantedRev = resourceVersion;
};

const refusedStrictly = (write: Write, json: unknown, problems: readonly string[]): ApiError => {
  const { change, target } = write;
  if (change.verb === 'patch' && change.patch.type === 'apply')
    return badRequest(
      `error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${problems.join('\n  ')}`,
    );
  return blamed(write, json, cannotBeHandled(target.kind, `strict decoding error: ${problems.join(', ')}`));
};

const decoded = (write: Write, json: unknown): ReturnType<typeof decodeObject> => {
  try {
    return decodeObject(write.target.kind, json);
  } catch (error) {
    throw error instanceof ApiError ? blamed(write, json, error) : error;
  }
};

/** A patch is found wanting only after it was applied, so upstream blames the patch as a whole (patch.go). */
const blamed = ({ change, target }: Write, json: unknown, error: ApiError): ApiError => {
  if (change.verb !== 'patch' || change.patch.type === 'apply') return error;
  const { type, body } = change.patch;
  return patchInvalid(type === 'strategic' ? goPrinted(body) : JSON.stringify(json), whyUnhandled(target.kind, error));
};

const fillSpec = (draft: Draft, old: KubeObject): void => {
  const { spec } = old as unknown as Draft;
  if (spec !== undefined && Object.keys((draft.spec ?? {}) as object).length === 0) draft.spec = deepCopy(spec);
};

const revOf = (object: KubeObject): string | undefined => object.metadata.resourceVersion;
