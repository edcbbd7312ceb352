/** The schemas against Kubernetes' own protobuf messages: every field, its JSON name, its type, both ways. */
import { describe, expect, test } from 'vitest';
import { bindingSchema } from '#api/kinds/config.ts';
import { deleteOptionsSchema } from '#api/kinds/meta.ts';
import { evictionSchema } from '#api/kinds/policy.ts';
import { kinds } from '#api/kinds.ts';
import descriptor from '#api/proto/k8s-proto.json' with { type: 'json' };
import {
  fieldsV1Title,
  intOrStringTitle,
  microTimeTitle,
  nodeOf,
  quantityTitle,
  type SchemaNode,
  timeTitle,
} from '#api/schema.ts';

interface Field {
  readonly type: string;
  readonly rule?: 'repeated';
  readonly keyType?: string;
}
type Message = Readonly<Record<string, Field>>;
interface Package {
  readonly fields?: Message;
  readonly nested?: Readonly<Record<string, Package>>;
}

const messages = new Map<string, Message>();
const collect = ({ fields, nested }: Package, path: string): void => {
  if (fields !== undefined) messages.set(path, fields);
  for (const [name, inner] of Object.entries(nested ?? {})) collect(inner, path === '' ? name : `${path}.${name}`);
};
collect(descriptor as Package, '');

/** Fields of these names are written in JSON as if they were fields of the message around them. */
const inlined = new Set(['volumeSource', 'handler', 'localObjectReference', 'ephemeralContainerCommon']);

/** What the schemas have on purpose beyond the descriptor, and why. */
const beyondProto: Readonly<Record<string, string>> = {
  'PodSpec.workloadRef': 'v1.35 has it, the descriptor is of a later release that calls it schedulingGroup',
};

const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  bool: 'boolean',
  int32: 'integer int32',
  int64: 'integer int64',
  bytes: 'string byte',
  '.k8s.io.apimachinery.pkg.api.resource.Quantity': quantityTitle,
  '.k8s.io.apimachinery.pkg.apis.meta.v1.Time': timeTitle,
  '.k8s.io.apimachinery.pkg.apis.meta.v1.MicroTime': microTimeTitle,
  '.k8s.io.apimachinery.pkg.util.intstr.IntOrString': intOrStringTitle,
  '.k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1': fieldsV1Title,
};

const definitionOf = (message: string): string =>
  message
    .replace(/^k8s\.io\.api\.(?!machinery)/, 'io.k8s.api.')
    .replace(/^k8s\.io\.apimachinery/, 'io.k8s.apimachinery');

const resolve = (type: string, from: string): string =>
  type.startsWith('.') ? type.slice(1) : `${from.slice(0, from.lastIndexOf('.'))}.${type}`;

/** JSON fields of a message, with the inlined ones in place of their holders. */
const fieldsOf = (message: string): readonly (readonly [name: string, field: Field, from: string])[] =>
  Object.entries(messages.get(message) ?? {}).flatMap(([name, field]) =>
    inlined.has(name) ? fieldsOf(resolve(field.type, message)) : [[name, field, message] as const],
  );

const describeNode = (node: SchemaNode): string => {
  if (node.title !== undefined) return node.title;
  if (node.items !== undefined) return `list of ${describeNode(node.items)}`;
  if (node.additionalProperties !== undefined) return `map of ${describeNode(node.additionalProperties)}`;
  return node.format === undefined || (node.type === 'string' && node.format !== 'byte')
    ? `${node.type}`
    : `${node.type} ${node.format}`;
};

const describeField = ({ type, rule, keyType }: Field, from: string): string => {
  const local = type.startsWith('.') ? type : `.${resolve(type, from)}`;
  const item = scalars[type] ?? scalars[local] ?? definitionOf(local.slice(1));
  return keyType !== undefined ? `map of ${item}` : rule === 'repeated' ? `list of ${item}` : item;
};

const typeMeta = new Set(['apiVersion', 'kind']);
const withTypeMeta = (title: string) => /\.(DeleteOptions|PersistentVolumeClaim)$/.test(title);

/** Every difference between a schema with all below it and its messages. */
const compare = (root: SchemaNode): { differences: string[]; compared: Set<string>; excused: Set<string> } => {
  const differences: string[] = [];
  const compared = new Set<string>();
  const excused = new Set<string>();
  const visit = (node: SchemaNode, isRoot: boolean): void => {
    const item = node.items ?? node.additionalProperties;
    if (item !== undefined) visit(item, false);
    if (node.properties === undefined || node.title === undefined || compared.has(node.title)) return;
    const { title, properties } = node;
    compared.add(title);
    const short = title.slice(title.lastIndexOf('.') + 1);
    const message = title.replace(/^io\.k8s\./, 'k8s.io.');
    if (!messages.has(message)) differences.push(`${title}: no such message`);
    const expected = new Map(fieldsOf(message).map(([name, field, from]) => [name, describeField(field, from)]));
    for (const [name, type] of expected) {
      const found = properties[name];
      if (found === undefined) differences.push(`${short}.${name}: missing (${type})`);
      else if (describeNode(found) !== type) differences.push(`${short}.${name}: ${describeNode(found)}, not ${type}`);
    }
    for (const [name, inner] of Object.entries(properties)) {
      if (!expected.has(name) && !((isRoot || withTypeMeta(title)) && typeMeta.has(name))) {
        if (beyondProto[`${short}.${name}`] === undefined) differences.push(`${short}.${name}: not in the message`);
        else excused.add(`${short}.${name}`);
        if (beyondProto[`${short}.${name}`] !== undefined) continue;
      }
      visit(inner, false);
    }
  };
  visit(root, true);
  return { differences, compared, excused };
};

describe('the schemas have exactly the fields of Kubernetes’ messages', () => {
  const stored = kinds.filter(kind => kind.group !== 'metrics.k8s.io');
  test.each(stored.map(kind => [kind.kind, nodeOf(kind.schema)] as const))('%s', (_name, schema) => {
    expect(compare(schema).differences).toEqual([]);
  });
  test.each([
    ['Binding', nodeOf(bindingSchema)],
    ['Eviction', nodeOf(evictionSchema)],
    ['DeleteOptions', nodeOf(deleteOptionsSchema)],
  ])('%s', (_name, schema) => {
    expect(compare(schema).differences).toEqual([]);
  });
  test('every stated exception is still needed', () => {
    const excused = stored.flatMap(kind => [...compare(nodeOf(kind.schema)).excused]);
    expect([...new Set(excused)].sort()).toEqual(Object.keys(beyondProto).sort());
  });
  test('the comparison looks at all of it', () => {
    const compared = new Set(stored.flatMap(kind => [...compare(nodeOf(kind.schema)).compared]));
    expect(compared.size).toBeGreaterThan(150);
  });
});
