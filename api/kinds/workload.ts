/** Schemas of ReplicaSet and StatefulSet. */
import type { Static } from 'typebox';
import {
  field,
  int32,
  int64,
  intOrString,
  listBy,
  listOf,
  objectSchema,
  openEnum,
  string,
  struct,
  time,
} from '#api/schema.ts';
import { conditionStatus, labelSelectorSchema, objectMetaSchema } from './meta.ts';
import { podTemplateSpecSchema } from './pod.ts';
import { persistentVolumeClaimSchema } from './volume.ts';

const apps = (name: string) => `io.k8s.api.apps.v1.${name}`;

const workloadConditionFields = [
  { type: string('What the condition is about.'), status: conditionStatus('Whether it holds.') },
  {
    lastTransitionTime: time('When the status last changed.'),
    reason: string('Reason of the last change, as one word.'),
    message: string('Details of the last change.'),
  },
] as const;

const replicaSetConditionSchema = struct(
  apps('ReplicaSetCondition'),
  'One aspect of the state of a ReplicaSet.',
  ...workloadConditionFields,
);

const replicaSetSpecSchema = struct(
  apps('ReplicaSetSpec'),
  'What the ReplicaSet is to be.',
  { selector: field(labelSelectorSchema, 'Selects its pods; must match the labels of the template.') },
  {
    replicas: int32('How many pods there are to be.', { default: 1 }),
    minReadySeconds: int32('Seconds a pod must be ready to count as available; default 0.'),
    template: field(podTemplateSpecSchema, 'The pods that it makes.', { default: {} }),
  },
);
const replicaSetStatusSchema = struct(
  apps('ReplicaSetStatus'),
  'What the ReplicaSet is.',
  { replicas: int32('How many pods there are.') },
  {
    fullyLabeledReplicas: int32('How many have all labels of the template.'),
    readyReplicas: int32('How many are ready.'),
    availableReplicas: int32('How many are available.'),
    terminatingReplicas: int32('How many are being deleted.'),
    observedGeneration: int64('metadata.generation that was last acted on.'),
    conditions: listBy(replicaSetConditionSchema, { mergeKey: 'type' }, 'Aspects of its state.'),
  },
);
export const replicaSetSchema = objectSchema(
  { group: 'apps', version: 'v1', kind: 'ReplicaSet', title: apps('ReplicaSet') },
  'Keeps a number of equal pods running.',
  {
    metadata: objectMetaSchema,
    always: { spec: field(replicaSetSpecSchema, 'What the ReplicaSet is to be.') },
    optional: { status: field(replicaSetStatusSchema, 'What the ReplicaSet is.') },
  },
);
export interface ReplicaSet extends Static<typeof replicaSetSchema> {}

const rollingUpdateSchema = struct(
  apps('RollingUpdateStatefulSetStrategy'),
  'How pods are replaced one after the other.',
  {},
  {
    partition: int32('Only pods from this ordinal on are replaced; default 0.'),
    maxUnavailable: intOrString('How many may be unavailable at once; default 1.'),
  },
);
const updateStrategySchema = struct(
  apps('StatefulSetUpdateStrategy'),
  'How pods are replaced when the template changes.',
  {},
  {
    type: openEnum<'RollingUpdate' | 'OnDelete'>('RollingUpdate or OnDelete.', { default: 'RollingUpdate' }),
    rollingUpdate: field(rollingUpdateSchema, 'Settings of RollingUpdate.'),
  },
);
const claimRetentionSchema = struct(
  apps('StatefulSetPersistentVolumeClaimRetentionPolicy'),
  'What becomes of the claims.',
  {},
  {
    whenDeleted: openEnum<'Retain' | 'Delete'>('When the StatefulSet is deleted.', { default: 'Retain' }),
    whenScaled: openEnum<'Retain' | 'Delete'>('When it is scaled down.', { default: 'Retain' }),
  },
);
const ordinalsSchema = struct(
  apps('StatefulSetOrdinals'),
  'How pods are numbered.',
  {},
  { start: int32('Number of the first pod.') },
);
const statefulSetSpecSchema = struct(
  apps('StatefulSetSpec'),
  'What the StatefulSet is to be.',
  {
    selector: field(labelSelectorSchema, 'Selects its pods; must match the labels of the template.'),
    template: field(podTemplateSpecSchema, 'The pods that it makes.'),
  },
  {
    replicas: int32('How many pods there are to be.', { default: 1 }),
    volumeClaimTemplates: listOf(persistentVolumeClaimSchema, 'Claims made for each pod.'),
    serviceName: string('Service that governs the names of the pods.', { default: '' }),
    podManagementPolicy: openEnum<'OrderedReady' | 'Parallel'>('Whether pods are made one after the other.', {
      default: 'OrderedReady',
    }),
    updateStrategy: field(updateStrategySchema, 'How pods are replaced when the template changes.', { default: {} }),
    revisionHistoryLimit: int32('How many old revisions are kept.', { default: 10 }),
    minReadySeconds: int32('Seconds a pod must be ready to count as available; default 0.'),
    persistentVolumeClaimRetentionPolicy: field(claimRetentionSchema, 'What becomes of the claims.', { default: {} }),
    ordinals: field(ordinalsSchema, 'How pods are numbered.'),
  },
);
const statefulSetConditionSchema = struct(
  apps('StatefulSetCondition'),
  'One aspect of the state of a StatefulSet.',
  ...workloadConditionFields,
);
const statefulSetStatusSchema = struct(
  apps('StatefulSetStatus'),
  'What the StatefulSet is.',
  { replicas: int32('How many pods there are.') },
  {
    observedGeneration: int64('metadata.generation that was last acted on.'),
    readyReplicas: int32('How many are ready.'),
    currentReplicas: int32('How many are of the current revision.'),
    updatedReplicas: int32('How many are of the new revision.'),
    currentRevision: string('The current revision.'),
    updateRevision: string('The new revision.'),
    collisionCount: int32('How often the name of a revision collided.'),
    conditions: listBy(statefulSetConditionSchema, { mergeKey: 'type' }, 'Aspects of its state.'),
    availableReplicas: int32('How many are available.'),
  },
);
export const statefulSetSchema = objectSchema(
  { group: 'apps', version: 'v1', kind: 'StatefulSet', title: apps('StatefulSet') },
  'Keeps a number of pods with lasting names running.',
  {
    metadata: objectMetaSchema,
    always: { spec: field(statefulSetSpecSchema, 'What the StatefulSet is to be.') },
    optional: { status: field(statefulSetStatusSchema, 'What the StatefulSet is.') },
  },
);
export interface StatefulSet extends Static<typeof statefulSetSchema> {}
