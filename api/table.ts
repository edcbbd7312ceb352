/**
 * metav1.Table, the form in which `kubectl get` asks for objects: a row per object with the cells of the kind's columns,
 * wide ones included, because the server cannot know whether they will be shown (KUBECTL-WIRE §2.7).
 */
import { defaultColumns } from './columns/standard.ts';
import type { Column, Kind } from './kind.ts';
import type { KubeList, KubeObject, ObjectMeta } from './object.ts';
import { badRequest } from './status.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  /** The instant that ages are counted to. */
  readonly nowMs: number;
  /** What each row carries of its object; Metadata by default. */
  readonly includeObject?: IncludeObject;
  /** Metadata of the list; for a single object its resourceVersion is taken. */
  readonly metadata?: KubeList<unknown>['metadata'];
  /** False leaves the column definitions out, as in all but the first event of a watch. */
  readonly columnDefinitions?: boolean;
}

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export interface TableRow {
  readonly cells: readonly (string | number | boolean | null)[];
  readonly object: KubeObject | PartialObjectMetadata | null;
}

export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: 'meta.k8s.io/v1';
  readonly metadata: KubeList<unknown>['metadata'];
  readonly columnDefinitions: readonly TableColumn[] | null;
  readonly rows: readonly TableRow[];
}

/** The table of a list, of one object, or of the object of a watch event. */
export const tableOf = <T extends KubeObject>(kind: Kind<T>, objects: readonly T[], options: TableOptions): Table => {
  const columns: readonly Column<T>[] = kind.columns.length === 0 ? defaultColumns : kind.columns;
  const { nowMs, includeObject = 'Metadata', columnDefinitions = true } = options;
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.metadata ?? revisionOf(objects),
    columnDefinitions: columnDefinitions ? columns.map(definitionOf) : null,
    rows: objects.map(object => ({
      cells: columns.map(column => column.cell(object, nowMs)),
      object: rowObject(object, includeObject),
    })),
  };
};

/** The query parameter includeObject; absent or empty means Metadata. Throws BadRequest. */
export const parseIncludeObject = (text: string | undefined): IncludeObject => {
  switch (text ?? '') {
    case '':
    case 'Metadata':
      return 'Metadata';
    case 'None':
      return 'None';
    case 'Object':
      return 'Object';
    default:
      throw badRequest(
        `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`,
      );
  }
};

const revisionOf = (objects: readonly KubeObject[]): KubeList<unknown>['metadata'] => {
  const revision = objects.length === 1 ? objects[0]?.metadata.resourceVersion : undefined;
  return revision === undefined ? {} : { resourceVersion: revision };
};

const definitionOf = <T>({ name, type, format, description, priority = 0 }: Column<T>): TableColumn => ({
  name,
  type,
  format: format ?? '',
  description,
  priority,
});

const rowObject = (object: KubeObject, include: IncludeObject): TableRow['object'] => {
  if (include === 'None') return null;
  return include === 'Object' ? object : metadataOnly(object);
};

export interface PartialObjectMetadata {
  readonly kind: 'PartialObjectMetadata';
  readonly apiVersion: 'meta.k8s.io/v1';
  readonly metadata: ObjectMeta;
}

/** What is the same for every kind: for clients that count, select and collect objects without reading them. */
export const metadataOnly = ({ metadata }: KubeObject): PartialObjectMetadata => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
});
