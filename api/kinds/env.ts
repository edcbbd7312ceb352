/** Schemas of environment variables, and of references to fields and resources that volumes share with them. */
import type { Static } from 'typebox';
import { atomicStruct, bool, core, field, quantity, string, struct } from '#api/schema.ts';

export const objectFieldSelectorSchema = atomicStruct(
  core('ObjectFieldSelector'),
  'Picks a field of the pod.',
  { fieldPath: string('Path of the field, such as metadata.name or status.podIP.') },
  { apiVersion: string('API version the path is written for.', { default: 'v1' }) },
);

export const resourceFieldSelectorSchema = atomicStruct(
  core('ResourceFieldSelector'),
  'Picks a resource of a container.',
  { resource: string('Which resource, such as limits.cpu or requests.memory.') },
  {
    containerName: string('Container it is taken from; required in volumes, optional in env.'),
    divisor: quantity('Unit of the value; default 1.', { default: '0' }),
  },
);

const configMapKeySelectorSchema = atomicStruct(
  core('ConfigMapKeySelector'),
  'Picks a key of a ConfigMap.',
  { key: string('The key.') },
  { name: string('Name of the ConfigMap.'), optional: bool('True: it may be missing.') },
);

const secretKeySelectorSchema = atomicStruct(
  core('SecretKeySelector'),
  'Picks a key of a Secret.',
  { key: string('The key.') },
  { name: string('Name of the Secret.'), optional: bool('True: it may be missing.') },
);

const fileKeySelectorSchema = atomicStruct(
  core('FileKeySelector'),
  'Picks a variable of an env file in a volume.',
  {
    volumeName: string('Volume that holds the file.'),
    path: string('Path of the file within the volume.'),
    key: string('Name of the variable in the file.'),
  },
  { optional: bool('True: file or variable may be missing.', { default: false }) },
);

const envVarSourceSchema = struct(
  core('EnvVarSource'),
  'Where the value of a variable comes from; exactly one.',
  {},
  {
    fieldRef: field(objectFieldSelectorSchema, 'A field of the pod.'),
    resourceFieldRef: field(resourceFieldSelectorSchema, 'A resource request or limit of a container.'),
    configMapKeyRef: field(configMapKeySelectorSchema, 'A key of a ConfigMap.'),
    secretKeyRef: field(secretKeySelectorSchema, 'A key of a Secret.'),
    fileKeyRef: field(fileKeySelectorSchema, 'A variable of an env file in a volume.'),
  },
);
export interface EnvVarSource extends Static<typeof envVarSourceSchema> {}

export const envVarSchema = struct(
  core('EnvVar'),
  'An environment variable of a container.',
  { name: string('Name of the variable.') },
  {
    value: string('Value; $(NAME) is replaced by a variable defined before, $$ is a plain $.'),
    valueFrom: field(envVarSourceSchema, 'Source of the value; excludes value.'),
  },
);
export interface EnvVar extends Static<typeof envVarSchema> {}

const configMapEnvSourceSchema = struct(
  core('ConfigMapEnvSource'),
  'All keys of a ConfigMap as variables.',
  {},
  { name: string('Name of the ConfigMap.'), optional: bool('True: it may be missing.') },
);
const secretEnvSourceSchema = struct(
  core('SecretEnvSource'),
  'All keys of a Secret as variables.',
  {},
  { name: string('Name of the Secret.'), optional: bool('True: it may be missing.') },
);
export const envFromSourceSchema = struct(
  core('EnvFromSource'),
  'A source of many variables.',
  {},
  {
    prefix: string('Put before each key to make the name of the variable.'),
    configMapRef: field(configMapEnvSourceSchema, 'The ConfigMap to take.'),
    secretRef: field(secretEnvSourceSchema, 'The Secret to take.'),
  },
);
export interface EnvFromSource extends Static<typeof envFromSourceSchema> {}
