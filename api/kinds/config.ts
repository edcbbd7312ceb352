/** Schemas of Namespace, ConfigMap, Secret, ServiceAccount, Event and Binding. */
import type { Static } from 'typebox';
import {
  bool,
  bytes,
  core,
  field,
  int32,
  listBy,
  listOf,
  mapOf,
  microTime,
  objectSchema,
  openEnum,
  string,
  struct,
  time,
} from '#api/schema.ts';
import { conditionStatus, localObjectReferenceSchema, objectMetaSchema, objectReferenceSchema } from './meta.ts';

const of = (kind: string) => ({ group: '', version: 'v1', kind, title: core(kind) });

const namespaceSpecSchema = struct(
  core('NamespaceSpec'),
  'What the namespace is to be.',
  {},
  { finalizers: listOf(string('A finalizer.'), 'What must be done before the namespace may vanish.') },
);
const namespaceConditionSchema = struct(
  core('NamespaceCondition'),
  'One aspect of the state of a namespace.',
  { type: string('What the condition is about.'), status: conditionStatus('Whether it holds.') },
  {
    lastTransitionTime: time('When the status last changed.'),
    reason: string('Reason of the last change, as one word.'),
    message: string('Details of the last change.'),
  },
);
const namespaceStatusSchema = struct(
  core('NamespaceStatus'),
  'What the namespace is.',
  {},
  {
    phase: openEnum<'Active' | 'Terminating'>('Active, or Terminating while it is being deleted.'),
    conditions: listBy(namespaceConditionSchema, { mergeKey: 'type' }, 'Aspects of its state.'),
  },
);
export const namespaceSchema = objectSchema(of('Namespace'), 'A scope for names.', {
  metadata: objectMetaSchema,
  always: { spec: field(namespaceSpecSchema, 'What the namespace is to be.') },
  optional: { status: field(namespaceStatusSchema, 'What the namespace is.') },
});
export interface Namespace extends Static<typeof namespaceSchema> {}

export const configMapSchema = objectSchema(of('ConfigMap'), 'Settings for pods, by key.', {
  metadata: objectMetaSchema,
  optional: {
    immutable: bool('True: the content cannot be changed any more.'),
    data: mapOf(string('A text.'), 'Texts by key.'),
    binaryData: mapOf(bytes('Bytes in base64.'), 'Bytes by key.'),
  },
});
export interface ConfigMap extends Static<typeof configMapSchema> {}

export const secretSchema = objectSchema(of('Secret'), 'Secret settings for pods, by key.', {
  metadata: objectMetaSchema,
  optional: {
    immutable: bool('True: the content cannot be changed any more.'),
    data: mapOf(bytes('Bytes in base64.'), 'Bytes by key.'),
    stringData: mapOf(string('A text.'), 'Texts by key; written into data and never shown.'),
    type: string('What the secret is for; some types require certain keys.', { default: 'Opaque' }),
  },
});
export interface Secret extends Static<typeof secretSchema> {}

export const serviceAccountSchema = objectSchema(of('ServiceAccount'), 'An identity for pods.', {
  metadata: objectMetaSchema,
  optional: {
    secrets: listBy(objectReferenceSchema, { mergeKey: 'name' }, 'Secrets that its pods may use.'),
    imagePullSecrets: listOf(localObjectReferenceSchema, 'Secrets for pulling the images of its pods.'),
    automountServiceAccountToken: bool('False: its pods get no token mounted.'),
  },
});
export interface ServiceAccount extends Static<typeof serviceAccountSchema> {}

const eventSourceSchema = struct(
  core('EventSource'),
  'Who reports an event.',
  {},
  { component: string('The component.'), host: string('The node it runs on.') },
);
const eventSeriesSchema = struct(
  core('EventSeries'),
  'An event that happens again and again.',
  {},
  { count: int32('How often so far.'), lastObservedTime: microTime('When it last happened.') },
);
export const eventSchema = objectSchema(of('Event'), 'Something that happened to an object.', {
  metadata: objectMetaSchema,
  optional: {
    involvedObject: field(objectReferenceSchema, 'The object it happened to.'),
    reason: string('What happened, as one CamelCase word.'),
    message: string('What happened, for people.'),
    source: field(eventSourceSchema, 'Who reports it.', { default: {} }),
    firstTimestamp: time('When it first happened.'),
    lastTimestamp: time('When it last happened.'),
    count: int32('How often it happened.'),
    type: string('Normal or Warning.'),
    eventTime: microTime('When it first happened, to the microsecond.'),
    series: field(eventSeriesSchema, 'Its repetitions.'),
    action: string('What was done, or failed.'),
    related: field(objectReferenceSchema, 'A second object that is concerned.'),
    reportingComponent: string('Controller that reports it.', { default: '' }),
    reportingInstance: string('Instance of that controller.', { default: '' }),
  },
});
export interface Event extends Static<typeof eventSchema> {}

export const bindingSchema = objectSchema(of('Binding'), 'Puts a pod on a node.', {
  metadata: objectMetaSchema,
  always: { target: field(objectReferenceSchema, 'The node.') },
});
export interface Binding extends Static<typeof bindingSchema> {}
