import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/kinds/core.ts';
import { unsupportedInPod } from '#api/unsupported.ts';

const asked = (spec: object) =>
  unsupportedInPod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
  } as unknown as Pod);
const fields = (spec: object) => asked(spec).refusals.map(cause => `${cause.reason} ${cause.field}`);

describe('what a pod asks for that Berth does not do', () => {
  test('is nothing for an ordinary pod', () => {
    const container = {
      name: 'c',
      image: 'i',
      env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      livenessProbe: { exec: { command: ['true'] } },
      lifecycle: { preStop: { exec: { command: ['true'] } } },
      securityContext: { runAsUser: 1, capabilities: { drop: ['ALL'] } },
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
    };
    const volumes = [
      { name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: 'w', configMap: { name: 'c' } },
    ];
    expect(asked({ containers: [container], volumes })).toEqual({ warnings: [], refusals: [] });
  });
  test('is refused where going on would be senseless, by field and in words', () => {
    expect(
      asked({ volumes: [{ name: 'a' }, { name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }).refusals,
    ).toEqual([
      {
        reason: 'FieldValueForbidden',
        field: 'spec.volumes[1].persistentVolumeClaim',
        message:
          'Forbidden: not supported by Berth: it mounts emptyDir, configMap, secret, downwardAPI, projected and hostPath volumes',
      },
    ]);
    expect(fields({ hostUsers: false, runtimeClassName: 'gvisor', resourceClaims: [{ name: 'r' }] })).toEqual([
      'FieldValueForbidden spec.resourceClaims',
      'FieldValueForbidden spec.hostUsers',
      'FieldValueForbidden spec.runtimeClassName',
    ]);
    const projected = { sources: [{ secret: { name: 's' } }, { serviceAccountToken: { path: 't' } }] };
    expect(fields({ volumes: [{ name: 'v', projected }] })).toEqual([
      'FieldValueForbidden spec.volumes[0].projected.sources[1].serviceAccountToken',
    ]);
  });
  test('is found in containers of every kind', () => {
    const probed = { name: 'c', image: 'i', startupProbe: { grpc: { port: 1 } } };
    expect(fields({ containers: [probed], initContainers: [probed] })).toEqual([
      'FieldValueForbidden spec.containers[0].startupProbe.grpc',
      'FieldValueForbidden spec.initContainers[0].startupProbe.grpc',
    ]);
  });
  test('is warned about, with the consequence, where the pod can run without', () => {
    const limited = { name: 'c', image: 'i', resources: { limits: { 'ephemeral-storage': '1Gi' } } };
    expect(
      asked({
        containers: [limited],
        imagePullSecrets: [{ name: 's' }],
        automountServiceAccountToken: false,
        setHostnameAsFQDN: false,
        volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Gi' } }],
      }).warnings,
    ).toEqual([
      'spec.imagePullSecrets: not supported yet by Berth: images are pulled with the credentials of the engine',
      'spec.containers[0].resources.limits[ephemeral-storage]: not supported yet by Berth: the container is placed by it, but not stopped when it writes more',
      'spec.volumes[0].emptyDir.sizeLimit: not supported yet by Berth: a volume on disk is not limited',
    ]);
  });
  test('an empty list or a false flag asks for nothing', () => {
    expect(asked({ imagePullSecrets: [], resourceClaims: [], hostUsers: true })).toEqual({
      warnings: [],
      refusals: [],
    });
  });
});
