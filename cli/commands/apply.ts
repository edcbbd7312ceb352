/**
 * `berth apply`: creates or changes what manifests describe; client-side three-way merge as kubectl does by default, or
 * --server-side. Each object stands for itself: good ones are applied, bad ones reported with file and line.
 */

import { isReason } from '#api/status.ts';
import { lastApplied, lastAppliedAnnotation, withLastApplied } from '../apply/last-applied.ts';
import { withPlaces } from '../apply/places.ts';
import { createSchemas, type MergeSchema } from '../apply/schemas.ts';
import { threeWayPatch } from '../apply/three-way.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, repeated } from '../command.ts';
import { groupVersionOf, objectPrefix, pathOf, type Resource, resourceOfKind } from '../discovery.ts';
import { CliError, throwAll, withContext } from '../failure.ts';
import { unknownKind } from '../file-targets.ts';
import { type Manifest, type ManifestObject, readManifests } from '../manifests.ts';
import { parseFormat, withoutManagedFields } from '../output/format.ts';
import { toCompactJson } from '../output/json.ts';
import { type AnyObject, getOne } from '../read.ts';

interface ApplyFlags extends ClusterFlags {
  filename?: readonly string[];
  recursive?: boolean;
  selector?: string;
  dryRun?: string;
  serverSide?: boolean;
  forceConflicts?: boolean;
  fieldManager?: string;
  validate?: string;
  output?: string;
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .option('-f, --filename <file>', 'file, directory, or - for stdin; may be repeated', repeated)
    .option('-R, --recursive', 'also the directories below')
    .option('--dry-run [mode]', 'none, client (only say what would be done) or server (the server tries it)')
    .option('--server-side', 'let the server merge, with ownership of fields')
    .option('--force-conflicts', 'with --server-side: take over fields that others own')
    .option('--field-manager <name>', 'name under which fields are owned')
    .option('--validate [mode]', 'strict (refuse unknown and double fields), warn or ignore')
    .option('-o, --output <form>', 'print the objects: yaml, json, name, jsonpath=…')
    .action((flags: ApplyFlags) => withCluster(io, flags, cluster => apply(cluster, flags)));
  presets(command, { '--dry-run': 'client', '--validate': 'strict' });
  examples(
    command,
    `berth apply -f pod.yaml
    berth apply -f manifests/ -R
    cat pod.yaml | berth apply -f -
    berth apply --server-side --force-conflicts -f pod.yaml
    berth apply --dry-run=server -f pod.yaml -o yaml`,
  );
};

const presets = (command: Parameters<Define>[0], values: Record<string, string>): void => {
  for (const option of command.options) if (option.long && values[option.long]) option.preset(values[option.long]);
};

type Validation = 'Strict' | 'Warn' | 'Ignore';
type DryRun = 'none' | 'client' | 'server';

interface Work {
  readonly cluster: Cluster;
  readonly flags: ApplyFlags;
  readonly dryRun: DryRun;
  readonly validation: Validation;
  readonly schemaOf: (resource: Resource) => Promise<MergeSchema | undefined>;
  /** Prints the outcome for one object. */
  readonly done: (resource: Resource, object: AnyObject, verb: string) => void;
}

const apply = async (cluster: Cluster, flags: ApplyFlags): Promise<void> => {
  if (!flags.filename) throw new CliError('must specify one of -f and -k');
  const validation = validationOf(flags.validate);
  const dryRun = dryRunOf(flags.dryRun);
  if (flags.forceConflicts && !flags.serverSide) throw new CliError('--force-conflicts only works with --server-side');
  if (dryRun === 'client' && flags.serverSide) {
    throw new CliError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
  }
  const duplicates = ({ Strict: 'error', Warn: 'warn', Ignore: 'ignore' } as const)[validation];
  const read = await readManifests(cluster.io, flags.filename, { recursive: flags.recursive === true, duplicates });
  if (read.length === 0) throw new CliError('no objects passed to apply');
  const resources = await cluster.resources();
  const applied: AnyObject[] = [];
  const format = parseFormat(flags.output, object => (object as AnyObject).metadata.name);
  const work: Work = {
    cluster,
    flags,
    dryRun,
    validation,
    schemaOf: createSchemas(cluster.api),
    done: (resource, object, verb) => {
      applied.push(object);
      const line = `${objectPrefix(resource)}/${object.metadata.name}`;
      const suffix = { none: '', client: ' (dry run)', server: ' (server dry run)' }[dryRun];
      if (format.is === 'table') cluster.io.out(`${line} ${verb}${suffix}\n`);
      else if (flags.output === 'name') cluster.io.out(`${line}\n`);
    },
  };
  const failures: unknown[] = [];
  for (const item of read) {
    if ('failure' in item) {
      failures.push(item.failure);
      continue;
    }
    try {
      const { apiVersion, kind } = item.manifest.object;
      const resource = resourceOfKind(resources, apiVersion, kind);
      if (!resource) throw unknownKind(item.manifest);
      await applyOne(work, resource, item.manifest);
    } catch (error) {
      failures.push(withPlaces(error, item.manifest));
    }
  }
  if (format.is === 'objects' && flags.output !== 'name' && applied.length > 0) {
    const objects = applied.map(withoutManagedFields);
    cluster.io.out(format.print({ objects, single: objects.length === 1 }, { noHeaders: false }));
  }
  throwAll(failures);
};

const validationOf = (text: string | undefined): Validation => {
  switch (text) {
    case undefined:
    case 'strict':
    case 'true':
      return 'Strict';
    case 'warn':
      return 'Warn';
    case 'ignore':
    case 'false':
      return 'Ignore';
    default:
      throw new CliError(
        `invalid --validate option ${JSON.stringify(text)}; must be one of: strict (or true), warn, ignore (or false)`,
      );
  }
};

const dryRunOf = (text: string | undefined): DryRun => {
  if (text === undefined) return 'none';
  if (text === 'none' || text === 'client' || text === 'server') return text;
  throw new CliError(`Invalid dry-run value (${text}). Must be "none", "server", or "client".`);
};

const applyOne = async (work: Work, resource: Resource, manifest: Manifest): Promise<void> => {
  const { cluster, flags } = work;
  const object = inNamespace(manifest, resource, cluster, flags);
  const { name } = object.metadata;
  if (!name) {
    if (object.metadata.generateName) {
      throw new CliError(`from ${object.metadata.generateName}: cannot use generate name with apply`);
    }
    throw new CliError(
      `error when retrieving current configuration of:\nResource: ${JSON.stringify(gvr(resource))}, GroupVersionKind: ${JSON.stringify(gvk(resource))}\nName: "", Namespace: ${JSON.stringify(object.metadata.namespace ?? '')}\nfrom server for: ${JSON.stringify(manifest.source)}: resource name may not be empty`,
    );
  }
  const ref = { namespace: object.metadata.namespace, name };
  if (flags.serverSide) return serverSide(work, resource, manifest, object, ref);
  const live = await current(work, resource, manifest, ref);
  if (live) return change(work, resource, manifest, object, live);
  const wanted = withLastApplied(object);
  if (work.dryRun === 'client') return work.done(resource, wanted as AnyObject, 'created');
  try {
    const created = await cluster.api.send<AnyObject>({
      method: 'POST',
      path: pathOf(resource, ref.namespace),
      query: writeQuery(work, 'kubectl-client-side-apply'),
      body: wanted,
    });
    work.done(resource, created, 'created');
  } catch (error) {
    throw withContext(error, `error when creating ${JSON.stringify(manifest.source)}: `);
  }
};

const writeQuery = ({ flags, validation, dryRun }: Work, manager: string) => ({
  fieldManager: flags.fieldManager ?? manager,
  fieldValidation: validation,
  dryRun: dryRun === 'server' ? 'All' : undefined,
});

/** The manifest's object in the namespace of the command; a contradiction is an error, as in kubectl. */
const inNamespace = (manifest: Manifest, resource: Resource, cluster: Cluster, flags: ApplyFlags): ManifestObject => {
  const { object } = manifest;
  if (!resource.namespaced) return object;
  const own = object.metadata.namespace;
  if (own && flags.namespace && own !== flags.namespace) {
    throw new CliError(
      `the namespace from the provided object ${JSON.stringify(own)} does not match the namespace ${JSON.stringify(flags.namespace)}. You must pass '--namespace=${own}' to perform this operation.`,
    );
  }
  return { ...object, metadata: { ...object.metadata, namespace: own ?? cluster.namespace } };
};

const gvr = (resource: Resource): string => `${resource.group}/${resource.version}, Resource=${resource.plural}`;
const gvk = (resource: Resource): string => `${resource.group}/${resource.version}, Kind=${resource.kind}`;

const current = async (
  { cluster }: Work,
  resource: Resource,
  manifest: Manifest,
  ref: { namespace: string | undefined; name: string },
): Promise<AnyObject | undefined> => {
  try {
    return await getOne(cluster, resource, ref);
  } catch (error) {
    if (isReason(error, 'NotFound')) {
      if (error.status.details?.kind !== 'namespaces' || resource.plural === 'namespaces') return undefined;
      throw withContext(error, `error when creating ${JSON.stringify(manifest.source)}: `);
    }
    const where = `Resource: "${gvr(resource)}", GroupVersionKind: "${gvk(resource)}"\nName: "${ref.name}", Namespace: "${ref.namespace ?? ''}"`;
    throw withContext(
      error,
      `error when retrieving current configuration of:\n${where}\nfrom server for: ${JSON.stringify(manifest.source)}: `,
    );
  }
};

/** The object is there: sends the three-way patch, or says that nothing changes. */
const change = async (work: Work, resource: Resource, manifest: Manifest, object: ManifestObject, live: AnyObject) => {
  const { cluster } = work;
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
      query: writeQuery(work, 'kubectl-client-side-apply'),
      contentType: schema ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json',
      body: patch,
    });
    work.done(resource, changed, 'configured');
  } catch (error) {
    const where = `Resource: "${gvr(resource)}", GroupVersionKind: "${gvk(resource)}"\nName: "${live.metadata.name}", Namespace: "${live.metadata.namespace ?? ''}"`;
    const source = JSON.stringify(manifest.source);
    const prefix = `error when applying patch:\n${toCompactJson(patch)}\nto:\n${where}\nfor: ${source}: error when patching ${source}: `;
    throw withContext(error, prefix);
  }
};

const missingAnnotation = (what: string): string =>
  `Warning: resource ${what} is missing the ${lastAppliedAnnotation} annotation which is required by berth apply. berth apply should only be used on resources created declaratively by either berth apply or kubectl create --save-config. The missing annotation will be patched automatically.\n`;

const serverSide = async (
  work: Work,
  resource: Resource,
  manifest: Manifest,
  object: ManifestObject,
  ref: { namespace: string | undefined; name: string },
): Promise<void> => {
  const { cluster, flags } = work;
  try {
    const applied = await cluster.api.send<AnyObject>({
      method: 'PATCH',
      path: pathOf(resource, ref.namespace, ref.name),
      query: { ...writeQuery(work, 'kubectl'), force: flags.forceConflicts === true },
      contentType: 'application/apply-patch+yaml',
      body: { ...object, apiVersion: groupVersionOf(resource), kind: resource.kind },
    });
    work.done(resource, applied, 'serverside-applied');
  } catch (error) {
    if (!isReason(error, 'Conflict')) throw error;
    throw withContext(error, '', conflictHint(manifest.source));
  }
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
