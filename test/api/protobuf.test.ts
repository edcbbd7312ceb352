import fc from 'fast-check';
import protobuf from 'protobufjs/light.js';
import { describe, expect, it } from 'vitest';
import { decodeObject } from '#api/decode.ts';
import { podKind } from '#api/kinds/core.ts';
import descriptor from '#api/proto/k8s-proto.json' with { type: 'json' };
import { decodeProtobuf } from '#api/protobuf.ts';

const root = protobuf.Root.fromJSON(descriptor as protobuf.INamespace);

/** A body as client-go writes it. */
const encode = (apiVersion: string, kind: string, message: string, fields: object): Uint8Array => {
  const type = root.lookupType(`k8s.io.${message}`);
  expect(type.verify(fields)).toBeNull();
  const raw = type.encode(type.create(fields)).finish();
  const unknown = root.lookupType('k8s.io.apimachinery.pkg.runtime.Unknown');
  const envelope = unknown.encode(
    unknown.create({ typeMeta: { apiVersion, kind }, raw, contentEncoding: '', contentType: '' }),
  );
  return Uint8Array.from([0x6b, 0x38, 0x73, 0, ...envelope.finish()]);
};

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
/** What client-go writes for every object: scalars that are no pointers are on the wire even when empty. */
const meta = (fields: object) => ({
  generateName: '',
  namespace: '',
  selfLink: '',
  uid: '',
  resourceVersion: '',
  generation: 0,
  creationTimestamp: {},
  ...fields,
});

describe('protobuf bodies', () => {
  it('of kubectl create deployment', () => {
    const body = encode('apps/v1', 'Deployment', 'api.apps.v1.Deployment', {
      metadata: meta({ name: 'web', labels: { app: 'web' } }),
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: meta({ name: '', labels: { app: 'web' } }),
          spec: {
            containers: [
              {
                name: 'nginx',
                image: 'nginx:1',
                workingDir: '',
                resources: {},
                imagePullPolicy: '',
                stdin: false,
                ports: [{ name: '', hostPort: 0, containerPort: 80, protocol: '', hostIP: '' }],
              },
            ],
            restartPolicy: '',
            hostNetwork: false,
          },
        },
        strategy: { type: '' },
        minReadySeconds: 0,
        paused: false,
      },
      status: { observedGeneration: 0, replicas: 0 },
    });
    expect(decodeProtobuf(body)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      object: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', labels: { app: 'web' } },
        spec: {
          replicas: 0,
          selector: { matchLabels: { app: 'web' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: {
              containers: [
                { name: 'nginx', image: 'nginx:1', resources: {}, stdin: false, ports: [{ containerPort: 80 }] },
              ],
              hostNetwork: false,
            },
          },
          strategy: {},
          paused: false,
        },
        status: { replicas: 0 },
      },
    });
  });

  it('of a secret and a configmap: bytes are base64', () => {
    const secret = encode('v1', 'Secret', 'api.core.v1.Secret', {
      metadata: meta({ name: 's' }),
      data: { key: text('påss'), empty: new Uint8Array() },
      type: 'Opaque',
    });
    expect(decodeProtobuf(secret).object).toMatchObject({ data: { key: 'cMOlc3M=', empty: '' }, type: 'Opaque' });
    const map = encode('v1', 'ConfigMap', 'api.core.v1.ConfigMap', {
      metadata: meta({ name: 'c' }),
      data: { a: 'x', 'b.txt': '' },
      binaryData: { bin: Uint8Array.from([0, 255]) },
    });
    expect(decodeProtobuf(map).object).toMatchObject({ data: { a: 'x', 'b.txt': '' }, binaryData: { bin: 'AP8=' } });
  });

  it('of a pod with everything that JSON inlines or writes its own way', () => {
    const body = encode('v1', 'Pod', 'api.core.v1.Pod', {
      metadata: meta({
        name: 'p',
        uid: 'u1',
        creationTimestamp: { seconds: 1_795_000_000, nanos: 0 },
        ownerReferences: [{ kind: 'Node', name: 'n', uid: 'u2', apiVersion: 'v1', controller: true }],
        managedFields: [{ manager: 'm', operation: 'Update', fieldsV1: { Raw: text('{"f:spec":{}}') } }],
      }),
      spec: {
        volumes: [
          { name: 'e', volumeSource: { emptyDir: {} } },
          { name: 'c', volumeSource: { configMap: { localObjectReference: { name: 'cm' }, defaultMode: 420 } } },
        ],
        containers: [
          {
            name: 'a',
            env: [
              { name: 'K', value: '', valueFrom: { secretKeyRef: { localObjectReference: { name: 's' }, key: 'k' } } },
              {
                name: 'R',
                valueFrom: {
                  resourceFieldRef: { containerName: '', resource: 'limits.cpu', divisor: { string: '1m' } },
                },
              },
            ],
            envFrom: [{ prefix: '', configMapRef: { localObjectReference: { name: 'cm' } } }],
            resources: { limits: { cpu: { string: '500m' } }, requests: { memory: { string: '64Mi' } } },
            livenessProbe: {
              handler: { httpGet: { path: '/', port: { type: 1, intVal: 0, strVal: 'web' }, host: '', scheme: '' } },
              timeoutSeconds: 0,
              periodSeconds: 7,
            },
            lifecycle: { preStop: { exec: { command: ['sh', '-c', ''] } } },
          },
        ],
        ephemeralContainers: [{ ephemeralContainerCommon: { name: 'd', image: 'i' }, targetContainerName: 'a' }],
        terminationGracePeriodSeconds: 0,
        securityContext: { runAsUser: 0 },
        tolerations: [{ key: 'k', operator: 'Exists', value: '', effect: '', tolerationSeconds: -1 }],
      },
    });
    const { object } = decodeProtobuf(body);
    expect(object).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'p',
        uid: 'u1',
        creationTimestamp: '2026-11-18T11:06:40Z',
        ownerReferences: [{ kind: 'Node', name: 'n', uid: 'u2', apiVersion: 'v1', controller: true }],
        managedFields: [{ manager: 'm', operation: 'Update', fieldsV1: { 'f:spec': {} } }],
      },
      spec: {
        volumes: [
          { name: 'e', emptyDir: {} },
          { name: 'c', configMap: { name: 'cm', defaultMode: 420 } },
        ],
        containers: [
          {
            name: 'a',
            env: [
              { name: 'K', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
              { name: 'R', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
            ],
            envFrom: [{ configMapRef: { name: 'cm' } }],
            resources: { limits: { cpu: '500m' }, requests: { memory: '64Mi' } },
            livenessProbe: { httpGet: { path: '/', port: 'web' }, periodSeconds: 7 },
            lifecycle: { preStop: { exec: { command: ['sh', '-c', ''] } } },
          },
        ],
        ephemeralContainers: [{ name: 'd', image: 'i', targetContainerName: 'a' }],
        terminationGracePeriodSeconds: 0,
        securityContext: { runAsUser: 0 },
        tolerations: [{ key: 'k', operator: 'Exists', tolerationSeconds: -1 }],
      },
    });
    expect(decodeObject(podKind, object).unknownFields).toEqual([]);
  });

  it('of services, budgets, quotas and other typed creates', () => {
    const service = encode('v1', 'Service', 'api.core.v1.Service', {
      metadata: meta({ name: 's' }),
      spec: {
        ports: [{ name: '80', protocol: 'TCP', port: 80, targetPort: { type: 0, intVal: 0, strVal: '' }, nodePort: 0 }],
        selector: { app: 's' },
        clusterIP: '',
        type: 'ClusterIP',
      },
    });
    expect(decodeProtobuf(service).object['spec']).toEqual({
      ports: [{ name: '80', protocol: 'TCP', port: 80 }],
      selector: { app: 's' },
      type: 'ClusterIP',
    });
    const budget = encode('policy/v1', 'PodDisruptionBudget', 'api.policy.v1.PodDisruptionBudget', {
      metadata: meta({ name: 'b' }),
      spec: { minAvailable: { type: 1, intVal: 0, strVal: '50%' }, selector: { matchLabels: { a: 'b' } } },
    });
    expect(decodeProtobuf(budget).object['spec']).toEqual({
      minAvailable: '50%',
      selector: { matchLabels: { a: 'b' } },
    });
    const none = encode('policy/v1', 'PodDisruptionBudget', 'api.policy.v1.PodDisruptionBudget', {
      spec: { maxUnavailable: { type: 0, intVal: 0, strVal: '' } },
    });
    expect(decodeProtobuf(none).object['spec']).toEqual({ maxUnavailable: 0 });
    const priority = encode('scheduling.k8s.io/v1', 'PriorityClass', 'api.scheduling.v1.PriorityClass', {
      metadata: meta({ name: 'p' }),
      value: -5,
      globalDefault: false,
      description: '',
      preemptionPolicy: 'Never',
    });
    expect(decodeProtobuf(priority).object).toMatchObject({
      value: -5,
      globalDefault: false,
      preemptionPolicy: 'Never',
    });
    const lease = encode('coordination.k8s.io/v1', 'Lease', 'api.coordination.v1.Lease', {
      spec: { renewTime: { seconds: 1_795_000_000, nanos: 123_456_789 }, acquireTime: {} },
    });
    expect(decodeProtobuf(lease).object['spec']).toEqual({ renewTime: '2026-11-18T11:06:40.123456Z' });
  });

  it('of reviews and of delete options, which belong to every group', () => {
    const review = encode(
      'authorization.k8s.io/v1',
      'SelfSubjectAccessReview',
      'api.authorization.v1.SelfSubjectAccessReview',
      {
        spec: {
          resourceAttributes: {
            namespace: 'default',
            verb: 'get',
            group: '',
            version: '*',
            resource: 'pods',
            subresource: '',
            name: '',
          },
        },
        status: { allowed: false, reason: '', evaluationError: '', denied: false },
      },
    );
    expect(decodeProtobuf(review).object['spec']).toEqual({
      resourceAttributes: { namespace: 'default', verb: 'get', version: '*', resource: 'pods' },
    });
    for (const version of ['v1', 'apps/v1']) {
      const options = encode(version, 'DeleteOptions', 'apimachinery.pkg.apis.meta.v1.DeleteOptions', {
        gracePeriodSeconds: 0,
        propagationPolicy: 'Background',
        dryRun: ['All'],
      });
      expect(decodeProtobuf(options).object).toMatchObject({
        gracePeriodSeconds: 0,
        propagationPolicy: 'Background',
        dryRun: ['All'],
      });
    }
  });

  it('that are none are refused', () => {
    const refuses = (bytes: Uint8Array, message: string) =>
      expect(() => decodeProtobuf(bytes)).toThrow(
        expect.objectContaining({ code: 400, message: expect.stringContaining(message) }),
      );
    refuses(text('{"kind":"Pod"}'), 'expected prefix [107 56 115 0]');
    const good = encode('v1', 'Pod', 'api.core.v1.Pod', { metadata: meta({ name: 'p' }) });
    refuses(good.slice(0, -3), 'could not be decoded');
    refuses(encode('v1', 'Gadget', 'api.core.v1.Pod', {}), 'no kind "Gadget" is registered for version "v1"');
    refuses(encode('v9', 'constructor', 'api.core.v1.Pod', {}), 'no kind "constructor"');
  });

  it('never end in anything but a value or a 400, whatever the bytes', () => {
    const good = encode('v1', 'Pod', 'api.core.v1.Pod', {
      metadata: meta({ name: 'p' }),
      spec: { containers: [{ name: 'a' }] },
    });
    fc.assert(
      fc.property(fc.nat({ max: good.length - 5 }), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const bytes = Uint8Array.from(good);
        bytes[at + 4] = byte;
        try {
          decodeProtobuf(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 400 });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the values in a protobuf body', () => {
  const labels = (pairs: Readonly<Record<string, string>>) =>
    decodeProtobuf(encode('v1', 'Pod', 'api.core.v1.Pod', { metadata: meta({ name: 'p', labels: pairs }) })).object[
      'metadata'
    ];

  const character = fc
    .integer({ min: 0, max: 0x10ffff })
    .filter(code => code < 0xd800 || code > 0xdfff)
    .map(code => String.fromCodePoint(code));

  it('keep every character of a text and every byte of a Secret', () => {
    fc.assert(
      fc.property(fc.string({ unit: character, minLength: 1 }), value => {
        expect(labels({ k: value })).toEqual({ name: 'p', labels: { k: value } });
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
        const secret = encode('v1', 'Secret', 'api.core.v1.Secret', { data: { k: bytes } });
        for (const body of [secret, Buffer.from(secret)])
          expect(decodeProtobuf(body).object['data']).toEqual({ k: Buffer.from(bytes).toString('base64') });
      }),
    );
  });

  it('may have any name in a map', () => {
    const pairs = Object.fromEntries([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(Object.entries((labels(pairs) as { labels: object }).labels)).toEqual(Object.entries(pairs));
  });

  it('reach fields called options, which our copy of the descriptor once lacked', () => {
    const { object } = decodeProtobuf(
      encode('v1', 'Pod', 'api.core.v1.Pod', {
        spec: {
          containers: [{ name: 'a' }],
          dnsConfig: { nameservers: ['1.1.1.1'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] },
          volumes: [{ name: 'f', volumeSource: { flexVolume: { driver: 'd/x', options: { size: '1' } } } }],
        },
      }),
    );
    expect(object['spec']).toEqual({
      containers: [{ name: 'a' }],
      dnsConfig: { nameservers: ['1.1.1.1'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] },
      volumes: [{ name: 'f', flexVolume: { driver: 'd/x', options: { size: '1' } } }],
    });
    expect(decodeObject(podKind, object).unknownFields).toEqual([]);
  });

  it('are empty in a map entry that holds only a key', () => {
    const envelope = (raw: readonly number[]) =>
      Uint8Array.from([
        ...[0x6b, 0x38, 0x73, 0, 0x0a, 12, 0x0a, 2, ...text('v1'), 0x12, 6, ...text('Secret')],
        ...[0x12, raw.length, ...raw],
      ]);
    expect(decodeProtobuf(envelope([0x12, 3, 0x0a, 1, 0x6b])).object['data']).toEqual({ k: '' });
    expect(decodeProtobuf(envelope([0x22, 3, 0x0a, 1, 0x6b])).object['stringData']).toEqual({ k: '' });
  });

  it('are refused where a time is none that RFC 3339 can write', () => {
    for (const seconds of [253_402_300_800, -62_135_596_801, Number.MAX_SAFE_INTEGER]) {
      const body = encode('coordination.k8s.io/v1', 'Lease', 'api.coordination.v1.Lease', {
        spec: { renewTime: { seconds, nanos: 0 } },
      });
      expect(() => decodeProtobuf(body)).toThrow(expect.objectContaining({ code: 400 }));
    }
  });
});
