/** The metadata that the server keeps: identity, creation, generation. */
import type { ObjectMeta } from '#api/object.ts';
import { badRequest, conflict } from '#api/status.ts';
import { toTime } from '#base/clock.ts';
import { deepEqual } from '#base/deep.ts';
import { safeSuffix } from '#base/random.ts';
import type { Draft, Target } from './request.ts';
import type { Step, Write } from './write.ts';

export const fillMetadata: Step = write => {
  if (write.verb === 'create') fillNew(write);
  else keepOld(write);
};

/** Longest name that generateName's suffix still fits behind (names are cut at 63 as upstream's generator does). */
const maxGeneratedBase = 58;

const fillNew = ({ change, deps, target, draft }: Write): void => {
  const { metadata } = draft;
  const { kind, namespace } = target;
  // Only an apply can get here with the identity of an object that is no more.
  if (change.verb === 'patch' && metadata.uid)
    throw conflict(
      kind,
      target.name ?? metadata.name,
      `uid mismatch: the provided object specified uid ${metadata.uid}, and no existing object was found`,
    );
  if (metadata.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created');
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'resourceVersion'] as const)
    delete metadata[field];
  checkNamespace(target, draft);
  if (kind.namespaced && namespace !== undefined) metadata.namespace = namespace;
  if (!kind.namespaced) delete metadata.namespace;
  if (!metadata.name && metadata.generateName)
    metadata.name = metadata.generateName.slice(0, maxGeneratedBase) + safeSuffix(deps.random);
  metadata.uid = deps.random.uuid();
  metadata.creationTimestamp = toTime(deps.clock.now());
  if (kind.hasGeneration) metadata.generation = 1;
  else delete metadata.generation;
};

const keepOld = ({ target, draft, old }: Write): void => {
  const { metadata } = draft;
  const was = old!.value.metadata;
  if (target.name !== undefined && metadata.name !== target.name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${target.name})`);
  checkNamespace(target, draft);
  if (metadata.uid && metadata.uid !== was.uid)
    throw conflict(
      target.kind,
      was.name,
      `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${was.uid}`,
    );
  for (const field of filledIfAbsent) if (!metadata[field]) copy(was, metadata, field);
  for (const field of deletionFields) if (was[field] !== undefined) copy(was, metadata, field);
  copy(was, metadata, 'generation');
  copy(was, metadata, 'resourceVersion');
  delete metadata.selfLink;
  if (target.kind.hasGeneration && !deepEqual((old!.value as unknown as Draft).spec, draft.spec))
    metadata.generation = (was.generation ?? 0) + 1;
};

// A client may leave these out, but not change them (validateObject refuses that).
const filledIfAbsent = ['uid', 'namespace', 'creationTimestamp', 'generateName'] as const;
// Once an object is being deleted, no update ends or delays that.
const deletionFields = ['deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

const copy = <K extends keyof ObjectMeta>(from: ObjectMeta, to: ObjectMeta, field: K): void => {
  if (from[field] === undefined) delete to[field];
  else to[field] = from[field];
};

const checkNamespace = ({ kind, namespace }: Target, { metadata }: Draft): void => {
  if (!kind.namespaced || !metadata.namespace || metadata.namespace === namespace) return;
  throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
};
