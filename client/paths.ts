/** Where a resource is on the API: paths and queries, built without URL objects because this runs for every request. */
import type { ListOptions, WriteOptions } from './client.ts';

/** As much of a kind as a path needs; a discovered resource has it too. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** `/api/v1/namespaces/x/pods`: of one namespace, or of all when it is absent. */
export const collectionPath = (type: ResourceType, namespace: string | undefined): string => {
  const scope = type.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : '';
  return `${versionPath(type)}${scope}/${type.plural}`;
};

/** `/api/v1/namespaces/x/pods/y/log`; the namespace of a namespaced object defaults to `default`. */
export const objectPath = (
  type: ResourceType,
  ref: { readonly namespace?: string; readonly name: string },
  subresource?: string,
): string => {
  const path = `${collectionPath(type, ref.namespace ?? 'default')}/${segment(ref.name)}`;
  return subresource === undefined || subresource === '' ? path : `${path}/${subresource}`;
};

const versionPath = ({ group, version }: ResourceType): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

/** `?a=b&c=d`, or nothing when every value is undefined. */
export const query = (values: Readonly<Record<string, string | number | boolean | undefined>>): string => {
  let text = '';
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) text += `${text === '' ? '?' : '&'}${key}=${segment(String(value))}`;
  }
  return text;
};

export const listQuery = (options: ListOptions): string =>
  query({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continue,
  });

export const writeQuery = (options: WriteOptions): string =>
  query({
    fieldManager: options.fieldManager,
    fieldValidation: options.fieldValidation,
    dryRun: options.dryRun ? 'All' : undefined,
    force: options.force,
  });

/** Names are nearly always plain already. */
const segment = (text: string): string => (/^[\w.-]*$/.test(text) ? text : percentEncoded(text));

// encodeURIComponent is part of the language, but a lone surrogate makes it throw: such a name exists nowhere.
const percentEncoded = (text: string): string => encodeURIComponent(text.toWellFormed());
