/**
 * Field ownership of a write: server-side apply makes object and owners together; other writes are recorded for those who
 * name themselves. Berth's own components do not, so their many small writes cost nothing here and take nothing away.
 */

import type { KubeObject } from '#api/object.ts';
import { applyPatch, trackUpdate } from '#api/patch/apply.ts';
import { isMap } from '#api/patch/json-map.ts';
import { badRequest } from '#api/status.ts';
import { toTime } from '#base/clock.ts';
import type { Draft, Target } from './request.ts';
import type { Step, Write } from './write.ts';

/** The object after a server-side apply. Throws Conflict where others own what would change. */
export const appliedObject = ({ target, old, context, deps }: Write, config: object): object => {
  const { kind, name, namespace, subresource } = target;
  const metadata = (config as { metadata?: unknown }).metadata ?? {};
  const { name: givenName, namespace: givenNamespace } = isMap(metadata) ? metadata : {};
  if (typeof givenNamespace === 'string' && givenNamespace !== '' && kind.namespaced && givenNamespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  if (typeof givenName === 'string' && givenName !== '' && givenName !== name)
    throw badRequest(`the name of the object (${givenName}) does not match the name on the URL (${name})`);
  const place = {
    ...(isSet(givenName) ? {} : { name }),
    ...(namespace === undefined || isSet(givenNamespace) ? {} : { namespace }),
  };
  return applyPatch({
    kind,
    live: old?.value,
    // What is no metadata, and a name that is no text, are refused as such.
    config: { ...config, metadata: isMap(metadata) ? { ...metadata, ...place } : metadata },
    manager: context.fieldManager ?? '',
    force: context.force ?? false,
    now: toTime(deps.clock.now()),
    subresource,
  });
};

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

export const trackFields: Step = ({ change, context, target, draft, old, deps }) => {
  if (change.verb === 'patch' && change.patch.type === 'apply') return;
  const { metadata } = draft;
  const fields =
    context.fieldManager === undefined
      ? old?.value.metadata.managedFields
      : trackUpdate({
          kind: target.kind,
          live: old?.value,
          updated: withoutForeignStatus(target, draft, old?.value),
          manager: context.fieldManager,
          now: toTime(deps.clock.now()),
          subresource: target.subresource,
        });
  if (fields === undefined || fields.length === 0) delete metadata.managedFields;
  else metadata.managedFields = fields;
};

/** A main resource's write does not own the status it happens to carry: it is put back later (reset.ts). */
const withoutForeignStatus = ({ kind, subresource }: Target, draft: Draft, old: KubeObject | undefined): KubeObject => {
  if (!kind.hasStatus || subresource !== undefined || draft.status === undefined) return draft as KubeObject;
  const { status: _, ...rest } = draft;
  const status = (old as Draft | undefined)?.status;
  return (status === undefined ? rest : { ...rest, status }) as KubeObject;
};
