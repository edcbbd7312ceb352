/** What `berth plan` reads from files: objects to apply, and nodes that are only thought of. */
import { decodeObject, strictError } from '#api/decode.ts';
import { applyDefaults } from '#api/defaults.ts';
import type { Kind } from '#api/kind.ts';
import { type Node, nodeKind } from '#api/kinds/core.ts';
import { kindOf } from '#api/kinds.ts';
import type { KubeObject } from '#api/object.ts';
import { nodeOf, type SchemaNode } from '#api/schema.ts';
import { invalid, required } from '#api/status.ts';
import { validateObject } from '#api/validate.ts';
import type { Wanted } from '#scheduler/planning/apply.ts';
import { lastApplied, withLastApplied } from '../apply/last-applied.ts';
import { withPlaces } from '../apply/places.ts';
import type { MergeSchema } from '../apply/schemas.ts';
import { threeWayPatch } from '../apply/three-way.ts';
import { CliError, throwAll } from '../failure.ts';
import { unknownKind } from '../file-targets.ts';
import type { Io } from '../io.ts';
import { type Manifest, readManifests } from '../manifests.ts';

export interface WantedManifest extends Wanted {
  readonly manifest: Manifest;
}

export interface Place {
  /** Where objects go that name no namespace. */
  readonly namespace: string;
  /** The namespace that the user insists on. */
  readonly only: string | undefined;
}

/** The objects of the files, in order; throws all faults at once. */
export const readWanted = async (
  io: Io,
  paths: readonly string[],
  recursive: boolean,
  place: Place,
): Promise<readonly WantedManifest[]> => {
  const read = await readManifests(io, paths, { recursive, duplicates: 'error' });
  if (read.length === 0) throw new CliError('no objects passed to plan');
  const failures: unknown[] = [];
  const wanted = read.flatMap(item => {
    if ('failure' in item) failures.push(item.failure);
    else
      try {
        return [wantedOf(item.manifest, place)];
      } catch (error) {
        failures.push(error);
      }
    return [];
  });
  throwAll(failures);
  return wanted;
};

const wantedOf = (manifest: Manifest, place: Place): WantedManifest => {
  const { object, source } = manifest;
  const kind = kindOf(object.apiVersion, object.kind);
  if (kind === undefined) throw unknownKind(manifest);
  const { name, generateName, namespace: own } = object.metadata;
  if (!name && !generateName)
    throw new CliError(`resource name may not be empty (${manifest.locate('metadata').text})`);
  if (kind.namespaced && own && place.only && own !== place.only)
    throw new CliError(
      `the namespace from the provided object ${JSON.stringify(own)} does not match the namespace ${JSON.stringify(place.only)}. You must pass '--namespace=${own}' to perform this operation.`,
    );
  const metadata = kind.namespaced ? { ...object.metadata, namespace: own || place.namespace } : object.metadata;
  const body = { ...object, metadata };
  const patchFrom = (live: KubeObject): Record<string, unknown> => {
    const patch = threeWayPatch(
      lastApplied(live),
      withLastApplied(body),
      { ...live },
      mergeSchema(nodeOf(kind.schema)),
    );
    return onlyBookkeeping(patch) ? {} : patch;
  };
  return { kind, object: body as unknown as KubeObject, source, patchFrom, manifest };
};

/** The patch writes nothing but what was applied last: the object itself stays as it is. */
const onlyBookkeeping = (patch: Readonly<Record<string, unknown>>): boolean => {
  const { metadata, ...rest } = patch as { metadata?: Record<string, unknown> };
  const { annotations, ...other } = metadata ?? {};
  const named = Object.keys(annotations ?? {}).filter(
    key => key !== 'kubectl.kubernetes.io/last-applied-configuration',
  );
  return Object.keys(rest).length + Object.keys(other).length + named.length === 0;
};

/** How lists merge, from the kind's own schema. */
const mergeSchema = (node: SchemaNode | undefined): MergeSchema => {
  const strategies = (node?.['x-kubernetes-patch-strategy'] ?? '').split(',');
  return {
    mergeKey: strategies.includes('merge') ? (node?.['x-kubernetes-patch-merge-key'] ?? '') : undefined,
    retainKeys: strategies.includes('retainKeys'),
    below: field =>
      mergeSchema(field === undefined ? node?.items : (node?.properties?.[field] ?? node?.additionalProperties)),
  };
};

/** Nodes of a file, decoded and checked; what they can hold must be stated. Other kinds in it are refused. */
export const readNodes = async (io: Io, paths: readonly string[]): Promise<readonly Node[]> => {
  const read = await readManifests(io, paths, { recursive: false, duplicates: 'error' });
  const failures: unknown[] = [];
  const nodes = read.flatMap(item => {
    if ('failure' in item) failures.push(item.failure);
    else
      try {
        return [nodeOfManifest(item.manifest)];
      } catch (error) {
        failures.push(withPlaces(error, item.manifest));
      }
    return [];
  });
  throwAll(failures);
  if (nodes.length === 0) throw new CliError(`no nodes in ${paths.join(', ')}`);
  const twice = nodes.find(({ metadata }, i) => nodes.findIndex(other => other.metadata.name === metadata.name) !== i);
  if (twice !== undefined)
    throw new CliError(`node ${JSON.stringify(twice.metadata.name)} stands twice in ${paths.join(', ')}`);
  return nodes;
};

const nodeOfManifest = (manifest: Manifest): Node => {
  const { apiVersion, kind: kindName } = manifest.object;
  if (apiVersion !== 'v1' || kindName !== 'Node')
    throw new CliError(`expected a Node, not a ${kindName} (${manifest.locate('kind').text})`);
  const kind = nodeKind as unknown as Kind;
  const { object, unknownFields } = decodeObject(nodeKind, manifest.object);
  const strict = strictError(kind, unknownFields, []);
  if (strict !== undefined) throw strict;
  applyDefaults(nodeKind, object);
  const { status } = object;
  const capacity = status?.capacity ?? status?.allocatable;
  const missing = ['cpu', 'memory'].filter(name => (status?.allocatable ?? capacity)?.[name] === undefined);
  const causes = [
    ...validateObject(nodeKind, object, undefined),
    ...missing.map(name =>
      required(`status.${status?.allocatable ? 'allocatable' : 'capacity'}.${name}`, 'a plan needs to know it'),
    ),
  ];
  if (causes.length > 0) throw invalid(kind, object.metadata.name, causes);
  const allocatable = { pods: defaultPods, ...(status?.allocatable ?? capacity) };
  const labels = { 'kubernetes.io/hostname': object.metadata.name, ...object.metadata.labels };
  return {
    ...object,
    metadata: { ...object.metadata, labels },
    status: { ...status, capacity: { ...allocatable, ...status?.capacity }, allocatable },
  };
};

/** The kubelet's default limit. */
const defaultPods = '110';
