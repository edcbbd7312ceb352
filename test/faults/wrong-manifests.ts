/** Manifests that are wrong, each in one way, with what stock kubectl and `berth apply` must say of them. */

export interface WrongManifest {
  readonly name: string;
  /** Files by their path; the first is what is applied, or the folder named by `apply`. */
  readonly files: Readonly<Record<string, string | Buffer>>;
  readonly apply: string;
  readonly more?: readonly string[];
  /** Parts of what kubectl says (the server's words, or its own). */
  readonly kubectl: readonly string[];
  /** Parts of what berth says; by default kubectl's. */
  readonly berth?: readonly string[];
  /** Names of the pods and ConfigMaps that exist afterwards. */
  readonly applied?: readonly string[];
  /** kubectl's exit code, when it is not 1. Berth's is the same, unless it is named too. */
  readonly code?: number;
  readonly berthCode?: number;
}

/** A pod that would be good; `more` is lines of its container. */
const pod = (name: string, more = ''): string => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
spec:
  containers:
  - name: app
    image: busybox:1.28
${more === '' ? '' : `    ${more}\n`}`;

const map = (name: string, rest: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n${rest}`;

type More = Partial<Omit<WrongManifest, 'name' | 'files' | 'kubectl' | 'berth'>>;

const one = (
  name: string,
  text: string | Buffer,
  kubectl: readonly string[] | string,
  berth: readonly string[] | string,
  more: More = {},
): WrongManifest => {
  const file = `${name.replaceAll(/[^a-z0-9]+/gi, '-')}.${text.toString().startsWith('{') ? 'json' : 'yaml'}`;
  const list = (said: readonly string[] | string) => [said].flat().map(part => part.replaceAll('FILE', file));
  return { name, files: { [file]: text }, apply: file, kubectl: list(kubectl), berth: list(berth), ...more };
};

const cannot =
  'Error from server (BadRequest): error when creating "FILE": Pod in version "v1" cannot be handled as a Pod: ';
const quantity = `${cannot}quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`;
const syntax = 'error: error parsing FILE: error converting YAML to JSON: yaml: ';
const noObjects = 'error: no objects passed to apply';

const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
  .concat([...'bcdefgh'].map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`))
  .map(line => `  ${line}\n`)
  .join('');

const syntaxErrors: readonly WrongManifest[] = [
  one('open quote', pod('x').replace('name: x', 'name: "x'), `${syntax}line `, [
    `${syntax}line 4: Missing closing`,
    'FILE:4:9',
  ]),
  one(
    'tab',
    pod('x').replace('  name: x', '\tname: x'),
    `${syntax}line 4: found character that cannot start any token`,
    [`${syntax}line 4: Tabs are not allowed as indentation`, 'FILE:4:1\n   4 | \tname: x\n'],
  ),
  one('unknown anchor', pod('x', 'command: *nope'), `${syntax}unknown anchor 'nope' referenced`, [
    `${syntax}line 9: unknown anchor 'nope' referenced`,
    'FILE:9:14',
  ]),
  one(
    'alias bomb',
    map('bomb', `data:\n${bomb}`),
    `${syntax}document contains excessive aliasing`,
    `${syntax}line 1: document contains excessive aliasing`,
  ),
  one('deep nesting', `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`, 'exceeded max depth', [
    `${syntax}line 1: it is nested too deeply`,
    'FILE:1:',
  ]),
  one('binary', Buffer.from([0x61, 0, 1, 2, 0x62, 10]), `${syntax}control characters are not allowed`, [
    `${syntax}line 1: control characters are not allowed`,
    'FILE:1:2',
  ]),
  one(
    'Latin-1',
    Buffer.from(map('latin', 'data: {a: "caf\xe9"}\n'), 'latin1'),
    [],
    [`${syntax}line 4: it is not UTF-8`, 'FILE:4:'],
    { code: 0, berthCode: 1, applied: ['latin'] },
  ),
  one('NaN', pod('x', 'ports: [{containerPort: .nan}]'), 'json: unsupported value: NaN', [
    `${syntax}line 9: .nan is no number that JSON has`,
    'FILE:9:29',
  ]),
  one(
    '1e999',
    pod('x', 'ports: [{containerPort: 1e999}]'),
    `${cannot}json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32`,
    [`${syntax}line 9: 1e999 is no number that JSON has`, 'FILE:9:29'],
  ),
  one(
    'half of JSON',
    '{"apiVersion":"v1","kind":"Pod",\n"metadata":{"name":"x"}',
    'error: error parsing FILE: unexpected EOF',
    ['error: error parsing FILE: json: ', 'FILE:2:24'],
  ),
  one(
    'JSON with a wrong field',
    '{"apiVersion":"v1","kind":"ConfigMap",\n"metadata":{"name":"x"},\n"dada":{}}',
    'unknown field "dada"',
    ['unknown field "dada"', 'FILE:3:1: dada'],
  ),
  // kubectl turns YAML into JSON first and keeps the last of two: neither it nor the server can know.
  one(
    'duplicate key',
    pod('dup', 'image: nginx'),
    [],
    [`${syntax}line 9: key "image" already set in map`, 'FILE:9:5'],
    { code: 0, berthCode: 1, applied: ['dup'] },
  ),
  one(
    'duplicate key in JSON',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"dup"},"data":{"a":"1",\n"a":"2"}}',
    [],
    ['error: error parsing FILE: json: key "a" already set in map', 'FILE:2:1'],
    { code: 0, berthCode: 1, applied: ['dup'] },
  ),
];

const wrongFields: readonly WrongManifest[] = [
  one(
    'unknown field',
    pod('x', 'imagee: nginx'),
    `${cannot}strict decoding error: unknown field "spec.containers[0].imagee"`,
    [
      `${cannot}strict decoding error: unknown field "spec.containers[0].imagee"`,
      'FILE:9:5: spec.containers[0].imagee\n   9 |     imagee: nginx\n     |     ^',
    ],
  ),
  one(
    'text for a list',
    pod('x', 'command: sleep'),
    `${cannot}json: cannot unmarshal string into Go struct field Container.spec.containers.command of type []string`,
    'FILE:9:5: spec.containers.command',
  ),
  one(
    'word for a number',
    pod('x', 'ports: [{containerPort: eighty}]'),
    'json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    'FILE:9:14: spec.containers.ports.containerPort',
  ),
  one(
    'yes for a text',
    pod('x', 'env: [{name: A, value: yes}]'),
    'json: cannot unmarshal bool into Go struct field EnvVar.spec.containers.env.value of type string',
    'FILE:9:21: spec.containers.env.value',
  ),
  one('cpu: 1 core', pod('x', 'resources: {limits: {cpu: 1 core}}'), quantity, [
    quantity,
    'FILE:9:26: spec.containers[0].resources.limits.cpu',
  ]),
  one('memory: 1gb', pod('x', 'resources: {limits: {memory: 1gb}}'), quantity, [
    quantity,
    'FILE:9:26: spec.containers[0].resources.limits.memory',
  ]),
  one(
    'request above limit',
    pod('above', 'resources: {limits: {memory: 1Gi}, requests: {memory: 2Gi}}'),
    'The Pod "above" is invalid: spec.containers[0].resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi',
    'FILE:9:40: spec.containers[0].resources.requests',
  ),
  one(
    'name with capitals',
    pod('Capital'),
    'The Pod "Capital" is invalid: metadata.name: Invalid value: "Capital": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters',
    'FILE:4:3: metadata.name',
  ),
  one(
    'bad label',
    pod('x').replace('name: x', 'name: x\n  labels: {"a b": "c d"}'),
    ['* metadata.labels: Invalid value: "a b": ', '* metadata.labels: Invalid value: "c d": '],
    'FILE:5:3: metadata.labels',
  ),
  one(
    'containers: null',
    'apiVersion: v1\nkind: Pod\nmetadata: {name: none}\nspec:\n  containers:\n',
    'The Pod "none" is invalid: spec.containers: Required value',
    'FILE:5:3: spec.containers',
  ),
  one(
    'no spec',
    'apiVersion: v1\nkind: Pod\nmetadata: {name: none}\n',
    'The Pod "none" is invalid: spec.containers: Required value',
    'FILE:1:1: spec.containers',
  ),
  one('no apiVersion', pod('x').replace('apiVersion: v1\n', ''), 'apiVersion not set', [
    "Object 'apiVersion' is missing in",
    '(FILE:1:1)',
  ]),
  one('no kind', pod('x').replace('kind: Pod\n', ''), 'kind not set', ["Object 'Kind' is missing in", '(FILE:1:1)']),
  one(
    'no name',
    pod('x').replace('  name: x\n', ''),
    'resource name may not be empty',
    'resource name may not be empty',
  ),
  one('unknown kind', pod('x').replace('kind: Pod', 'kind: Podd'), 'no matches for kind "Podd" in version "v1"', [
    'no matches for kind "Podd" in version "v1" (FILE:2:1)',
  ]),
  one(
    'unknown version',
    pod('x').replace('apiVersion: v1', 'apiVersion: v9'),
    'no matches for kind "Pod" in version "v9"',
    'no matches for kind "Pod" in version "v9" (FILE:2:1)',
  ),
  one(
    'namespace that is not there',
    pod('x').replace('name: x', 'name: x\n  namespace: nowhere'),
    'the namespace from the provided object "nowhere" does not match the namespace',
    'the namespace from the provided object "nowhere" does not match the namespace',
  ),
  one(
    'a list for a document',
    '- a\n- b\n',
    'invalid object to validate',
    'the document is a list, not an object with apiVersion and kind (FILE:1:1)',
  ),
  one(
    'a text for a document',
    'hello\n',
    'invalid object to validate',
    'the document is a string, not an object with apiVersion and kind (FILE:1:1)',
  ),
  one(
    '2 MB in one field',
    map('big', `data: {a: "${'x'.repeat(2 << 20)}"}\n`),
    [
      'Error from server (RequestEntityTooLarge): error when creating "FILE": Request entity too large: limit is 3145728',
    ],
    'Error from server (RequestEntityTooLarge): error when creating "FILE": Request entity too large: limit is 3145728',
  ),
];

const severalObjects: readonly WrongManifest[] = [
  one(
    'second of two has an unknown field',
    `${pod('first')}---\n${pod('second', 'imagee: x')}`,
    'unknown field "spec.containers[0].imagee"',
    'FILE:18:5: spec.containers[0].imagee',
    { applied: ['first'] },
  ),
  one(
    'first of two has an unknown field',
    `${pod('first', 'imagee: x')}---\n${pod('second')}`,
    'unknown field "spec.containers[0].imagee"',
    'FILE:9:5: spec.containers[0].imagee',
    { applied: ['second'] },
  ),
  one(
    'second of two has a syntax error',
    `${pod('first')}---\n${pod('second').replace('name: second', 'name: "second')}`,
    `${syntax}line `,
    [`${syntax}line 13: Missing closing`, 'FILE:13:9'],
    { applied: ['first'] },
  ),
  one(
    'one of a List is wrong',
    `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: good}}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: bad}\n  data: {a: 1}\n`,
    'json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    'FILE:8:3: data',
    { applied: ['good'] },
  ),
];

const noManifests: readonly WrongManifest[] = [
  one('empty file', '', noObjects, noObjects),
  one('only a comment', '# nothing\n', noObjects, noObjects),
  one('only a separator', '---\n', noObjects, noObjects),
  one('null', 'null\n', noObjects, noObjects),
  {
    name: 'directory without YAML',
    files: { 'folder/readme.txt': 'x' },
    apply: 'folder',
    kubectl: ['error: error reading [folder]: recognized file extensions are [.json .yaml .yml]'],
  },
  {
    name: 'a path that is not there',
    files: {},
    apply: 'nope.yaml',
    kubectl: ['error: the path "nope.yaml" does not exist'],
  },
];

/** What looks odd and is right. */
export const oddManifests: readonly WrongManifest[] = [
  one('byte order mark', `\ufeff${map('bom', 'data: {a: b}\n')}`, 'configmap/bom created', 'configmap/bom created', {
    code: 0,
    applied: ['bom'],
  }),
  one(
    'CRLF',
    map('crlf', 'data: {a: b}\n').replaceAll('\n', '\r\n'),
    'configmap/crlf created',
    'configmap/crlf created',
    { code: 0, applied: ['crlf'] },
  ),
  one(
    'tabs in JSON',
    '{\n\t"apiVersion": "v1",\n\t"kind": "ConfigMap",\n\t"metadata": {"name": "tabs"}\n}\n',
    'configmap/tabs created',
    'configmap/tabs created',
    { code: 0, applied: ['tabs'] },
  ),
  one(
    '2 MB of many objects',
    Array.from({ length: 20 }, (_, i) =>
      map(`part-${String(i).padStart(2, '0')}`, `data: {a: "${'y'.repeat(100_000)}"}\n`),
    ).join('---\n'),
    'configmap/part-19 created',
    'configmap/part-19 created',
    { code: 0, applied: Array.from({ length: 20 }, (_, i) => `part-${String(i).padStart(2, '0')}`) },
  ),
];

export const wrongManifests = [...syntaxErrors, ...wrongFields, ...severalObjects, ...noManifests];
