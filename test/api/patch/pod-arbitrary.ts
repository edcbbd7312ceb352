/** Random pods with maps, keyed lists, sets and atomic lists, for properties of patches. */
import fc from 'fast-check';

const word = fc.constantFrom('a', 'b', 'c', 'd');
const quantity = fc.constantFrom('100m', '1', '64Mi', '1Gi');
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 3 });

/** Leaves out what is undefined and what is empty, as a decoded object does. */
const compact = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, compact(item)] as const)
      .filter(
        ([, item]) =>
          item !== undefined && !(typeof item === 'object' && item !== null && Object.keys(item).length === 0),
      ),
  );
};

const keyed = <T extends { name: string }>(item: fc.Arbitrary<T>) =>
  fc.uniqueArray(item, { selector: one => one.name, maxLength: 4 });

const container = fc.record({
  name: word,
  image: some(word),
  args: some(fc.array(word, { maxLength: 3 })),
  env: keyed(fc.record({ name: word, value: some(word) })),
  ports: fc.uniqueArray(
    fc.record({ containerPort: fc.integer({ min: 80, max: 83 }), protocol: fc.constant('TCP'), name: some(word) }),
    { selector: port => port.containerPort, maxLength: 3 },
  ),
  resources: some(
    fc.record({ requests: some(fc.dictionary(fc.constantFrom('cpu', 'memory'), quantity, { noNullPrototype: true })) }),
  ),
});

export const anyPod = fc
  .record({
    apiVersion: fc.constant('v1'),
    kind: fc.constant('Pod'),
    metadata: fc.record({
      name: fc.constant('p'),
      labels: some(fc.dictionary(word, word, { noNullPrototype: true })),
      finalizers: some(fc.uniqueArray(word, { maxLength: 3 })),
    }),
    spec: fc.record({
      nodeName: some(word),
      nodeSelector: some(fc.dictionary(word, word, { noNullPrototype: true })),
      containers: keyed(container),
      tolerations: some(fc.array(fc.record({ key: word, operator: fc.constant('Exists') }), { maxLength: 3 })),
    }),
  })
  .map(pod => compact(pod) as Record<string, unknown>);
