/**
 * The annotation in which client-side apply keeps its last configuration, where it meets server-side apply: kubectl may
 * take over what the annotation names, and keeps the annotation current for older clients.
 */
import { decodeValue } from '../decode.ts';
import type { Kind } from '../kind.ts';
import type { KubeObject } from '../object.ts';
import { nodeOf, type SchemaNode } from '../schema.ts';
import { type FieldSet, noFields } from './fieldset.ts';
import { isMap, type JsonMap } from './json-map.ts';
import { fieldsOf, removeFields } from './structure.ts';

const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
const maxAnnotationBytes = 256 * 1024;

const lastApplied = (object: JsonMap): string | undefined => {
  const metadata = object['metadata'];
  const annotations = isMap(metadata) ? metadata['annotations'] : undefined;
  const text = isMap(annotations) ? annotations[lastAppliedAnnotation] : undefined;
  return typeof text === 'string' ? text : undefined;
};

/** What client-side apply set last: kubectl may take it over without force. */
export const lastAppliedFields = <T extends KubeObject>(kind: Kind<T>, live: JsonMap): FieldSet => {
  const text = lastApplied(live);
  if (text === undefined) return noFields;
  try {
    const schema = nodeOf(kind.schema);
    return fieldsOf(schema, decodeValue(kind, schema, JSON.parse(text)).value);
  } catch {
    return noFields; // A broken annotation allows nothing; the conflict is reported as it is.
  }
};

/** Where client-side apply left its annotation, kubectl's server-side apply keeps it current. */
export const syncLastApplied = (object: JsonMap, config: JsonMap): JsonMap => {
  if (lastApplied(object) === undefined) return object;
  const metadata = object['metadata'] as JsonMap;
  const annotations = metadata['annotations'] as JsonMap;
  const text = `${JSON.stringify(sortKeys(removeFields(annotationHolder, config, annotationField)))}\n`;
  const { [lastAppliedAnnotation]: _old, ...others } = annotations;
  const next = text.length > maxAnnotationBytes ? others : { ...annotations, [lastAppliedAnnotation]: text };
  return { ...object, metadata: { ...metadata, annotations: next } };
};

const annotationHolder: SchemaNode = {
  additionalProperties: { additionalProperties: { additionalProperties: { type: 'string' } } },
};
const annotationField: FieldSet = {
  'f:metadata': { 'f:annotations': { [`f:${lastAppliedAnnotation}`]: noFields } },
};

const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(key => [key, sortKeys(value[key])]),
  );
};
