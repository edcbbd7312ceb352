/** Schemas of metav1: what every object, selector, condition and owner reference looks like. */
import type { Static, TUnsafe } from 'typebox';
import type { ObjectMeta } from '#api/object.ts';
import {
  atomicStruct,
  bool,
  core,
  field,
  fieldsV1,
  int64,
  listBy,
  listOf,
  mapOf,
  oneOf,
  setOf,
  string,
  struct,
  time,
} from '#api/schema.ts';

const meta = (name: string) => `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`;

export const ownerReferenceSchema = atomicStruct(
  meta('OwnerReference'),
  'Names an object of the same namespace (or of the cluster) that owns this one.',
  {
    apiVersion: string('API version of the owner.'),
    kind: string('Kind of the owner.'),
    name: string('Name of the owner.'),
    uid: string('UID of the owner.'),
  },
  {
    controller: bool('True for the one owner that manages this object.'),
    blockOwnerDeletion: bool('True: foreground deletion of the owner waits until this object is gone.'),
  },
);

const managedFieldsEntrySchema = struct(
  meta('ManagedFieldsEntry'),
  'The fields that one manager has set, for one API version.',
  {},
  {
    manager: string('Who set the fields.'),
    operation: string('How they were set: Apply or Update.'),
    apiVersion: string('API version in which the field set is written.'),
    time: time('When the field set last changed.'),
    fieldsType: string('Format of the field set; always FieldsV1.'),
    fieldsV1: fieldsV1('The field set.'),
    subresource: string('Subresource through which the fields were set; empty for the object itself.'),
  },
);

export const objectMetaSchema = struct(
  meta('ObjectMeta'),
  'Metadata that every stored object has.',
  {},
  {
    name: string('Name, unique within the namespace (or the cluster) for this kind. Cannot be changed.'),
    generateName: string('Prefix from which the server makes a unique name when none is given.'),
    namespace: string('Namespace of the object; empty means default. Cannot be changed.'),
    selfLink: string('Deprecated; the server does not set it.'),
    uid: string('Identity of this very object in time and space, set by the server.'),
    resourceVersion: string('Opaque revision of the object, for watches and for updates that must not lose changes.'),
    generation: int64('Number of the desired state; rises when the specification changes. Set by the server.'),
    creationTimestamp: time('When the object was created. Set by the server.'),
    deletionTimestamp: time('When the object will be, or was asked to be, deleted. Set by the server.'),
    deletionGracePeriodSeconds: int64('Seconds the object has to end gracefully once it is being deleted.'),
    labels: mapOf(string('Value of the label.'), 'Keys and values for selecting and grouping objects.'),
    annotations: mapOf(string('Value of the annotation.'), 'Keys and values kept for tools; not selectable.'),
    ownerReferences: listBy(
      ownerReferenceSchema,
      { mergeKey: 'uid' },
      'Objects this one depends on; when all are gone it is deleted.',
    ),
    finalizers: setOf(
      string('Name of a finalizer.'),
      'What must be done, each by its own component, before the object may vanish.',
    ),
    managedFields: listOf(managedFieldsEntrySchema, 'Which manager owns which field; kept by the server.'),
  },
) as TUnsafe<unknown> as TUnsafe<ObjectMeta>;

/** Metadata in templates: nothing is required. */
export const templateMetaSchema = objectMetaSchema as TUnsafe<unknown> as TUnsafe<Partial<ObjectMeta>>;

export const listMetaSchema = struct(
  meta('ListMeta'),
  'Metadata of a list.',
  {},
  {
    selfLink: string('Deprecated; the server does not set it.'),
    resourceVersion: string('Revision that the list shows.'),
    continue: string('Token that asks for the next part of the list.'),
    remainingItemCount: int64('How many items follow after this part.'),
  },
);

const labelSelectorRequirementSchema = struct(
  meta('LabelSelectorRequirement'),
  'A condition on one label.',
  {
    key: string('Label key the condition is on.'),
    operator: string('How key and values relate: In, NotIn, Exists or DoesNotExist.'),
  },
  { values: listOf(string('A label value.'), 'Values for In and NotIn; empty for Exists and DoesNotExist.') },
);
export interface LabelSelectorRequirement extends Static<typeof labelSelectorRequirementSchema> {}

export const labelSelectorSchema = atomicStruct(
  meta('LabelSelector'),
  'Selects objects by label; all conditions must hold. Empty selects everything, absent nothing.',
  {},
  {
    matchLabels: mapOf(string('The value it must have.'), 'Labels an object must have with just these values.'),
    matchExpressions: listOf(labelSelectorRequirementSchema, 'Further conditions on labels.'),
  },
);
export interface LabelSelector extends Static<typeof labelSelectorSchema> {}

export const conditionStatus = (description: string) => oneOf(['True', 'False', 'Unknown'], description);

export const conditionSchema = struct(
  meta('Condition'),
  'One aspect of the present state of an object.',
  {
    type: string('What the condition is about.'),
    status: conditionStatus('Whether it holds: True, False or Unknown.'),
    lastTransitionTime: time('When the status last changed.'),
    reason: string('Reason of the last change, as one CamelCase word.'),
    message: string('Details of the last change, for people.'),
  },
  { observedGeneration: int64('metadata.generation that the condition was set for.') },
);
export interface Condition extends Static<typeof conditionSchema> {}

const preconditionsSchema = struct(
  meta('Preconditions'),
  'What must be true of the object for the operation to be done.',
  {},
  { uid: string('The UID it must have.'), resourceVersion: string('The resourceVersion it must have.') },
);

export const deleteOptionsSchema = struct(
  meta('DeleteOptions'),
  'How to delete an object.',
  {},
  {
    apiVersion: string('Version of the API that these options are written for.'),
    kind: string('Always DeleteOptions.'),
    gracePeriodSeconds: int64('Seconds to end gracefully; 0 deletes at once; absent uses the default of the kind.'),
    preconditions: field(preconditionsSchema, 'What must hold, or the deletion fails with a conflict.'),
    orphanDependents: bool('Deprecated: use propagationPolicy.'),
    propagationPolicy: string('What becomes of dependents: Orphan, Background or Foreground.'),
    dryRun: listOf(string('Always All.'), 'All: do everything but store the result.'),
    ignoreStoreReadErrorWithClusterBreakingPotential: bool('Delete even an object that cannot be read.'),
  },
);

export const objectReferenceSchema = atomicStruct(
  core('ObjectReference'),
  'Names an object, or a part of it.',
  {},
  {
    kind: string('Kind of the object.'),
    namespace: string('Namespace of the object.'),
    name: string('Name of the object.'),
    uid: string('UID of the object.'),
    apiVersion: string('API version of the object.'),
    resourceVersion: string('Revision of the object that is meant.'),
    fieldPath: string('Part of the object that is meant, such as spec.containers{web}.'),
  },
);
export interface ObjectReference extends Static<typeof objectReferenceSchema> {}

export const localObjectReferenceSchema = atomicStruct(
  core('LocalObjectReference'),
  'Names an object of the same namespace.',
  {},
  { name: string('Name of the object.') },
);
export interface LocalObjectReference extends Static<typeof localObjectReferenceSchema> {}

export const typedLocalObjectReferenceSchema = atomicStruct(
  core('TypedLocalObjectReference'),
  'Names an object of the same namespace and its kind.',
  { kind: string('Kind of the object.'), name: string('Name of the object.') },
  { apiGroup: string('API group of the object; empty for the core group.') },
);

export const typedObjectReferenceSchema = struct(
  core('TypedObjectReference'),
  'Names an object, its kind and its namespace.',
  { kind: string('Kind of the object.'), name: string('Name of the object.') },
  {
    apiGroup: string('API group of the object; empty for the core group.'),
    namespace: string('Namespace of the object.'),
  },
);
