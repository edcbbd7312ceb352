/**
 * The one write pipeline: every create, update and patch of every kind and subresource is the same list of steps, read from
 * top to bottom. All steps are synchronous functions on one Write; only the commit at the end waits. When somebody
 * else wrote in between and the client did not insist on a revision, the whole list runs again on the new state.
 */

import { applyDefaults } from '#api/defaults.ts';
import { namespaceKind } from '#api/kinds/core.ts';
import type { KubeObject } from '#api/object.ts';
import { alreadyExists, generatedNameTaken, invalid, methodNotSupported, modified, notFound } from '#api/status.ts';
import { validateObject } from '#api/validate.ts';
import { deepEqual } from '#base/deep.ts';
import type { Patch } from '#client/client.ts';
import { Entry, type Op } from '#store/state.ts';
import { type Admission, mutatingAdmission, validatingAdmission } from './admission/admission.ts';
import { lookupIn } from './admission/lookup.ts';
import { decodeChange } from './change.ts';
import { committed } from './commit.ts';
import { isFinished } from './deletion.ts';
import { storeKey } from './keys.ts';
import { trackFields } from './managed-fields.ts';
import { fillMetadata } from './metadata.ts';
import type { RegistryDeps } from './registry.ts';
import type { Draft, Target, WriteContext } from './request.ts';
import { resetFields } from './reset.ts';

/** What the client wants: a new object, a whole one in place of another, or a change of one. */
export type Change =
  | {
      readonly verb: 'create' | 'update';
      /** Parsed JSON; it is not changed. */
      readonly body: unknown;
      readonly strictFaults?: StrictFaults;
    }
  | { readonly verb: 'patch'; readonly patch: Patch; readonly strictFaults?: StrictFaults };

/** What strict validation has against the text that was sent, in words: keys that it gave twice. */
type StrictFaults = readonly string[];

export interface Written {
  readonly entry: Entry<KubeObject>;
  /** True: 201. */
  readonly created: boolean;
}

/** One write on its way through the steps. */
export interface Write {
  readonly deps: RegistryDeps;
  readonly target: Target;
  readonly change: Change;
  readonly context: WriteContext;
  /** What is stored now. */
  readonly old: Entry<KubeObject> | undefined;
  readonly verb: 'create' | 'update';
  /** The object as it would be stored. */
  draft: Draft;
  /** The revision that the client insists on. */
  wantedRev: string | undefined;
  readonly warnings: Set<string>;
}

export type Step = (write: Write) => void;

const admit =
  (admissions: readonly Admission[]): Step =>
  ({ deps, verb, target, context, draft, old, warnings }) => {
    const request = {
      verb,
      kind: target.kind,
      subresource: target.subresource,
      namespace: target.namespace,
      name: target.name ?? draft.metadata.name ?? '',
      user: context.user,
      object: draft,
      old: old?.value,
      lookup: lookupIn(deps.store),
      warn: (text: string) => void warnings.add(text),
    };
    for (const admission of admissions) admission(request);
  };

const setDefaults: Step = ({ target, draft }) => applyDefaults(target.kind, draft as KubeObject);

const validate: Step = ({ target: { kind, subresource }, draft, old, warnings }) => {
  const object = draft as KubeObject;
  const asked = subresource === undefined ? kind.unsupported?.(object) : undefined;
  const causes = [...validateObject(kind, object, old?.value), ...(asked?.refusals ?? [])];
  if (causes.length > 0) throw invalid(kind, object.metadata.name ?? '', causes);
  const odd = subresource === undefined ? kind.warnings?.(object, old?.value) : undefined;
  for (const text of [...(odd ?? []), ...(asked?.warnings ?? [])]) warnings.add(text);
};

/** A client that insists on a revision is refused before anything else is looked at, as upstream. */
const checkRevision: Step = ({ target, old, wantedRev }) => {
  if (old !== undefined && wantedRev !== undefined && wantedRev !== String(old.rev))
    throw modified(target.kind, old.value.metadata.name);
};

const steps: readonly Step[] = [
  decodeChange,
  checkRevision,
  setDefaults,
  // Before admission: what admission adds belongs to nobody, so an apply may leave it out.
  trackFields,
  admit(mutatingAdmission),
  resetFields,
  fillMetadata,
  validate,
  admit(validatingAdmission),
];

const attempts = 12;

export const write = async (
  deps: RegistryDeps,
  target: Target,
  change: Change,
  context: WriteContext,
): Promise<Written> => {
  let lastDraft: Draft | undefined;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const current = begin(deps, target, change, context);
    try {
      for (const step of steps) step(current);
      const written = await commit(current);
      if (written !== undefined) return written;
    } finally {
      lastDraft = current.draft;
      for (const text of current.warnings) context.warn(text);
    }
  }
  const { generateName = '' } = lastDraft?.metadata ?? {};
  throw target.name === undefined && generateName !== ''
    ? generatedNameTaken(target.kind, generateName)
    : modified(target.kind, target.name ?? '');
};

const begin = (deps: RegistryDeps, target: Target, change: Change, context: WriteContext): Write => {
  const { kind, namespace, name } = target;
  const ref = { ...(namespace === undefined ? {} : { namespace }), name: name ?? '' };
  const old = change.verb === 'create' ? undefined : deps.store.get(storeKey(kind, ref));
  const applies = change.verb === 'patch' && change.patch.type === 'apply' && target.subresource === undefined;
  if (change.verb !== 'create' && old === undefined && !applies) throw notFound(kind, name ?? '');
  if (applies && !context.fieldManager)
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      { reason: 'FieldValueRequired', field: 'fieldManager', message: 'Required value: is required for apply patch' },
    ]);
  if (target.subresource !== undefined && change.verb === 'create') throw methodNotSupported(kind, 'create');
  const verb = old === undefined ? 'create' : 'update';
  const draft: Draft = { apiVersion: '', kind: '', metadata: { name: '' } };
  return { deps, target, change, context, old, verb, draft, wantedRev: undefined, warnings: new Set() };
};

/** Writes the draft; undefined: somebody else was faster, and the steps must run again. */
const commit = async (current: Write): Promise<Written | undefined> => {
  const { deps, target, context, old, verb, draft, wantedRev } = current;
  const { kind } = target;
  const object = draft as KubeObject;
  if (verb === 'create') return create(current, object);
  const present = old!;
  if (unchanged(present.value, object)) return { entry: present, created: false };
  if (context.dryRun) return { entry: new Entry(present.key, present.rev, object), created: false };
  const op: Op<KubeObject> = isFinished(kind, object)
    ? { remove: present.key, ifRev: present.rev }
    : { put: present.key, value: object, ifRev: present.rev };
  const result = await committed(deps, [op]);
  if ('changes' in result) return { entry: result.changes[0]!.last, created: false };
  if (result.conflict.found === undefined) throw notFound(kind, object.metadata.name);
  if (wantedRev !== undefined) throw modified(kind, object.metadata.name);
  return undefined;
};

const create = async ({ deps, target, context }: Write, object: KubeObject): Promise<Written | undefined> => {
  const { kind, namespace } = target;
  const { name } = object.metadata;
  const key = storeKey(kind, { ...(namespace === undefined ? {} : { namespace }), name });
  const generated = object.metadata.generateName !== undefined && target.name === undefined;
  const taken = deps.store.get(key) !== undefined;
  if (taken && generated) return undefined;
  if (taken) throw alreadyExists(kind, name);
  if (context.dryRun) return { entry: new Entry(key, 0, object), created: true };
  // The namespace must not change while the object is made: so nothing is ever created in one that is being deleted.
  const home = kind.namespaced ? deps.store.get(storeKey(namespaceKind, { name: namespace ?? '' })) : undefined;
  const guard: Op<KubeObject>[] = home === undefined ? [] : [{ check: home.key, ifRev: home.rev }];
  const result = await committed(deps, [...guard, { put: key, value: object, ifRev: 0 }]);
  if ('changes' in result) return { entry: result.changes.at(-1)!.last, created: true };
  if (result.conflict.index === guard.length && !generated && target.name === undefined)
    throw alreadyExists(kind, name);
  return undefined;
};

/** True when a write would change nothing: then the revision stays (KUBECTL-WIRE §2.9). */
const unchanged = (old: KubeObject, next: KubeObject): boolean => {
  const { metadata: oldMetadata, ...oldRest } = old;
  const { metadata: nextMetadata, ...nextRest } = next;
  const { managedFields: was = [], resourceVersion: _, ...oldMeta } = oldMetadata;
  const { managedFields: now = [], resourceVersion: __, ...nextMeta } = nextMetadata;
  if (!deepEqual(oldMeta, nextMeta) || !deepEqual(oldRest, nextRest)) return false;
  const timeless = (fields: typeof was) => fields.map(({ time: ___, ...field }) => field);
  return deepEqual(timeless(was), timeless(now));
};
