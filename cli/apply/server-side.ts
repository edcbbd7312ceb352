/**
 * Applies one object with the server merging: fields have owners. What was applied client-side before is first handed
 * over to the new owner, as kubectl does, so that fields which the manifest drops later really go.
 */
import { ApiError, isReason } from '#api/status.ts';
import { groupVersionOf, pathOf } from '../discovery.ts';
import { withContext } from '../failure.ts';
import type { AnyObject } from '../read.ts';
import { lastAppliedAnnotation } from './last-applied.ts';
import { type Item, type Work, writeQuery } from './work.ts';

const manager = 'kubectl';
const clientSide = 'kubectl-client-side-apply';

/** Throws ApiError; a conflict with the ways out of it. */
export const applyServerSide = async (work: Work, item: Item): Promise<void> => {
  const { resource, object, manifest } = item;
  const body = { ...object, apiVersion: groupVersionOf(resource), kind: resource.kind };
  try {
    let applied = await send(work, item, body, work.flags.fieldManager || manager);
    if (work.dryRun === 'none' && (await handOver(work, item, applied)))
      applied = await send(work, item, body, work.flags.fieldManager || manager);
    work.done(resource, applied, 'serverside-applied');
  } catch (error) {
    if (!isReason(error, 'Conflict')) throw error;
    throw withContext(error, '', conflictHint(manifest.source));
  }
};

const send = (work: Work, { resource, ref }: Item, body: object, fieldManager: string): Promise<AnyObject> =>
  work.cluster.api.send<AnyObject>({
    method: 'PATCH',
    path: pathOf(resource, ref.namespace, ref.name),
    query: { ...writeQuery(work, manager), fieldManager, force: work.flags.forceConflicts === true },
    contentType: 'application/apply-patch+yaml',
    body,
  });

interface Owned {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1?: Fields;
}
type Fields = { readonly [field: string]: Fields };

const ownedBy = (object: AnyObject): readonly Owned[] =>
  (object.metadata as { managedFields?: readonly Owned[] }).managedFields ?? [];

const isClientSide = ({ manager, operation, subresource }: Owned): boolean =>
  manager === clientSide && operation === 'Update' && !subresource;

/** True when fields changed hands. A failure is a warning: the object is applied, and the next apply tries again. */
const handOver = async (work: Work, item: Item, applied: AnyObject): Promise<boolean> => {
  if (!ownedBy(applied).some(isClientSide)) return false;
  const { cluster, flags } = work;
  const { resource, ref } = item;
  const owner = flags.fieldManager || manager;
  try {
    const kept = owner === manager ? await keepAnnotation(work, item, applied) : applied;
    await cluster.api.send({
      method: 'PATCH',
      path: pathOf(resource, ref.namespace, ref.name),
      contentType: 'application/json-patch+json',
      body: [
        { op: 'replace', path: '/metadata/managedFields', value: inOneHand(ownedBy(kept), owner) },
        { op: 'replace', path: '/metadata/resourceVersion', value: kept.metadata.resourceVersion },
      ],
    });
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    cluster.io.err(
      `Warning: failed to hand what was applied client-side over to ${owner}; the next apply tries again: ${error.message}\n`,
    );
    return false;
  }
};

/** The note of the last client-side apply gets an owner of its own, so that it stays. */
const keepAnnotation = async (work: Work, item: Item, applied: AnyObject): Promise<AnyObject> => {
  const note = applied.metadata.annotations?.[lastAppliedAnnotation];
  if (!note) return applied;
  const { resource, ref } = item;
  const metadata = { ...ref, annotations: { [lastAppliedAnnotation]: note } };
  const body = { apiVersion: groupVersionOf(resource), kind: resource.kind, metadata };
  return send(work, item, body, 'kubectl-last-applied');
};

/** The entries with those of client-side apply taken into the one of the new owner. */
const inOneHand = (entries: readonly Owned[], owner: string): readonly Owned[] => {
  const old = entries.filter(isClientSide);
  const isNew = (entry: Owned) => entry.manager === owner && entry.operation === 'Apply' && !entry.subresource;
  return entries
    .filter(entry => !isClientSide(entry))
    .map(entry =>
      isNew(entry)
        ? { ...entry, fieldsV1: old.reduce((all, { fieldsV1 = {} }) => union(all, fieldsV1), entry.fieldsV1 ?? {}) }
        : entry,
    );
};

const union = (a: Fields, b: Fields): Fields => {
  const all: Record<string, Fields> = { ...a };
  for (const [field, below] of Object.entries(b)) all[field] = union(all[field] ?? {}, below);
  return all;
};

const conflictHint = (source: string): string => `
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest (${source}) to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`;
