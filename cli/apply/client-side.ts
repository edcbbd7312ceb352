/** Applies one object as kubectl does by default: a three-way merge, from what was applied last, made here. */
import { isReason } from '#api/status.ts';
import { propagationOf } from '../commands/delete.ts';
import { pathOf, type Resource } from '../discovery.ts';
import { withContext } from '../failure.ts';
import type { Manifest } from '../manifests.ts';
import { toCompactJson } from '../output/json.ts';
import { type AnyObject, getOne } from '../read.ts';
import { deadlineOf, waitGone } from '../waiting.ts';
import { lastApplied, lastAppliedAnnotation, withLastApplied } from './last-applied.ts';
import { threeWayPatch } from './three-way.ts';
import { type Item, type Work, whereText, writeQuery } from './work.ts';

const manager = 'kubectl-client-side-apply';

/** Creates the object or sends what changes; throws ApiError with the manifest's name in it. */
export const applyClientSide = async (work: Work, item: Item): Promise<void> => {
  const live = await current(work, item);
  if (live) return change(work, item, live);
  const wanted = withLastApplied(item.object);
  if (work.dryRun === 'client') return work.done(item.resource, wanted as AnyObject, 'created');
  try {
    work.done(item.resource, await create(work, item), 'created');
  } catch (error) {
    throw withContext(error, `error when creating ${JSON.stringify(item.manifest.source)}: `);
  }
};

const create = (work: Work, { resource, ref, object }: Item): Promise<AnyObject> =>
  work.cluster.api.send<AnyObject>({
    method: 'POST',
    path: pathOf(resource, ref.namespace),
    query: writeQuery(work, manager),
    body: withLastApplied(object),
  });

const current = async ({ cluster }: Work, { resource, manifest, ref }: Item): Promise<AnyObject | undefined> => {
  try {
    return await getOne(cluster, resource, ref);
  } catch (error) {
    if (isReason(error, 'NotFound')) {
      if (error.status.details?.kind !== 'namespaces' || resource.plural === 'namespaces') return undefined;
      throw withContext(error, `error when creating ${JSON.stringify(manifest.source)}: `);
    }
    const where = whereText(resource, ref.name, ref.namespace);
    throw withContext(
      error,
      `error when retrieving current configuration of:\n${where}\nfrom server for: ${JSON.stringify(manifest.source)}: `,
    );
  }
};

/** The object is there: sends the three-way patch, or says that nothing changes. */
const change = async (work: Work, item: Item, live: AnyObject): Promise<void> => {
  const { cluster, flags } = work;
  const { resource, manifest, object } = item;
  if (live.metadata.deletionTimestamp) {
    cluster.io.err(`Warning: Detected changes to resource ${live.metadata.name} which is currently being deleted.\n`);
  }
  if (!live.metadata.annotations?.[lastAppliedAnnotation])
    cluster.io.err(missingAnnotation(`${resource.plural}/${live.metadata.name}`));
  const schema = await work.schemaOf(resource);
  const patch = threeWayPatch(lastApplied(live), withLastApplied(object), live, schema);
  // Upstream's client dry-run does not look at the patch.
  if (work.dryRun === 'client') return work.done(resource, live, 'configured');
  if (Object.keys(patch).length === 0) return work.done(resource, live, 'unchanged');
  try {
    const changed = await cluster.api.send<AnyObject>({
      method: 'PATCH',
      path: pathOf(resource, live.metadata.namespace, live.metadata.name),
      query: writeQuery(work, manager),
      contentType: schema ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json',
      body: patch,
    });
    work.done(resource, changed, 'configured');
  } catch (error) {
    const refused = isReason(error, 'Invalid') || isReason(error, 'Conflict');
    if (flags.force && refused) return work.done(resource, await replace(work, item, live), 'configured');
    throw withContext(error, patchText(patch, resource, manifest, live));
  }
};

/** `--force`: what cannot be changed is deleted and made anew. */
const replace = async (work: Work, item: Item, live: AnyObject): Promise<AnyObject> => {
  const { cluster, flags } = work;
  const { resource, ref } = item;
  const propagationPolicy = propagationOf(flags.cascade, cluster.io);
  await cluster.api.send({
    method: 'DELETE',
    path: pathOf(resource, ref.namespace, ref.name),
    body: {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy,
      ...(flags.gracePeriod < 0 ? {} : { gracePeriodSeconds: flags.gracePeriod }),
    },
  });
  const deadlineMs = deadlineOf(cluster, flags.timeout === 0 ? -1 : flags.timeout);
  await waitGone(cluster, resource, { ...ref, uid: live.metadata.uid }, deadlineMs);
  return create(work, item);
};

const patchText = (patch: object, resource: Resource, manifest: Manifest, { metadata }: AnyObject): string => {
  const source = JSON.stringify(manifest.source);
  const where = whereText(resource, metadata.name, metadata.namespace);
  return `error when applying patch:\n${toCompactJson(patch)}\nto:\n${where}\nfor: ${source}: error when patching ${source}: `;
};

const missingAnnotation = (what: string): string =>
  `Warning: resource ${what} is missing the ${lastAppliedAnnotation} annotation which is required by berth apply. berth apply should only be used on resources created declaratively by either berth apply or kubectl create --save-config. The missing annotation will be patched automatically.\n`;
