/** DELETE of one object or of a selection, with admission, grace, finalizers and preconditions. */

import type { KubeObject } from '#api/object.ts';
import type { DeleteOptions } from '#client/client.ts';
import { mutatingAdmission } from './admission/admission.ts';
import { lookupIn } from './admission/lookup.ts';
import { planDeletion } from './deletion.ts';
import { type Modified, modify } from './modify.ts';
import { listEntries, type Selection } from './read.ts';
import type { RegistryDeps } from './registry.ts';
import type { Draft, Target, WriteContext } from './request.ts';

export const remove = (
  deps: RegistryDeps,
  target: Target & { readonly name: string },
  options: DeleteOptions,
  context: WriteContext,
): Promise<Modified> => {
  const { kind, namespace, name, subresource } = target;
  const ref = namespace === undefined ? { name } : { namespace, name };
  const decide = (object: KubeObject) => {
    const request = {
      verb: 'delete' as const,
      kind,
      subresource,
      namespace,
      name,
      user: context.user,
      object: object as unknown as Draft,
      old: object,
      lookup: lookupIn(deps.store),
      warn: context.warn,
    };
    for (const admission of mutatingAdmission) admission(request);
    const deletion = planDeletion(kind, object, options, deps.clock.now());
    if (deletion.outcome === 'remove') return { remove: true as const };
    return deletion.outcome === 'update' ? { put: deletion.object } : undefined;
  };
  return modify(deps, kind, ref, decide, context.dryRun === true || options.dryRun === true);
};

/** Deletes everything selected; what others deleted meanwhile is passed over. Returns what was asked to go. */
export const removeCollection = async (
  deps: RegistryDeps,
  target: Target,
  selection: Selection,
  options: DeleteOptions,
  context: WriteContext,
): Promise<readonly KubeObject[]> => {
  const { entries } = listEntries(deps, target.kind, selection);
  const results = await Promise.allSettled(
    entries.map(({ value: { metadata } }) =>
      remove(deps, { kind: target.kind, namespace: metadata.namespace, name: metadata.name }, options, context),
    ),
  );
  const failure = results.find(result => result.status === 'rejected' && result.reason?.reason !== 'NotFound');
  if (failure?.status === 'rejected') throw failure.reason;
  return entries.map(entry => entry.value);
};
