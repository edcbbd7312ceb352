/** What the two ways of applying (client-side and server-side) share: the flags, the write's query, names in messages. */
import type { Cluster } from '../cluster.ts';
import type { ClusterFlags } from '../command.ts';
import type { Resource } from '../discovery.ts';
import { type DryRun, dryRunQuery } from '../dry-run.ts';
import type { Manifest, ManifestObject } from '../manifests.ts';
import type { OutputFlags } from '../output/printer.ts';
import type { AnyObject } from '../read.ts';
import type { MergeSchema } from './schemas.ts';

export interface ApplyFlags extends ClusterFlags, OutputFlags {
  filename?: readonly string[];
  recursive?: boolean;
  selector?: string;
  dryRun?: string;
  serverSide?: boolean;
  forceConflicts?: boolean;
  fieldManager?: string;
  validate?: string;
  overwrite: boolean;
  force?: boolean;
  gracePeriod: number;
  timeout: number;
  cascade?: string;
}

export type Validation = 'Strict' | 'Warn' | 'Ignore';

export interface Work {
  readonly cluster: Cluster;
  readonly flags: ApplyFlags;
  readonly dryRun: DryRun;
  readonly validation: Validation;
  readonly schemaOf: (resource: Resource) => Promise<MergeSchema | undefined>;
  /** Prints the outcome for one object. */
  readonly done: (resource: Resource, object: AnyObject, verb: string) => void;
}

/** One object of the manifests, in its namespace. */
export interface Item {
  readonly resource: Resource;
  readonly manifest: Manifest;
  readonly object: ManifestObject;
  readonly ref: { readonly namespace: string | undefined; readonly name: string };
}

export const writeQuery = ({ flags, validation, dryRun }: Work, manager: string) => ({
  fieldManager: flags.fieldManager || manager,
  fieldValidation: validation,
  ...dryRunQuery(dryRun),
});

/** Which object a message is about. */
export const whereText = (resource: Resource, name: string, namespace: string | undefined): string => {
  const version = `${resource.group}/${resource.version}`;
  return `Resource: "${version}, Resource=${resource.plural}", GroupVersionKind: "${version}, Kind=${resource.kind}"\nName: "${name}", Namespace: "${namespace ?? ''}"`;
};
