/**
 * What objects may ask for that Berth does not do: one table of fields, each with what that means for the user. A line
 * with `refuse` makes the write fail where going on without it would be dangerous or senseless; all others warn. When a
 * feature arrives, its line goes.
 */
import type { Unsupported } from './kind.ts';
import type { Pod, Secret, Service, ServiceAccount } from './kinds/core.ts';
import { foreignVolumeSources } from './kinds/volume-foreign.ts';
import { type Cause, forbiddenField } from './status.ts';

interface Line {
  /** Path below the pod; `[]` stands for every item, `containers[]` for containers of all three kinds. */
  readonly field: string;
  /** What happens instead. */
  readonly so: string;
  readonly refuse?: boolean;
  /** Which values are meant; default: all but false, empty texts and empty lists. */
  readonly when?: (value: unknown) => boolean;
}

const is =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);

const refused: readonly Line[] = [
  ...['persistentVolumeClaim', 'ephemeral', 'image', ...Object.keys(foreignVolumeSources)].map(source => ({
    field: `spec.volumes[].${source}`,
    so: 'it mounts emptyDir, configMap, secret, downwardAPI, projected and hostPath volumes',
  })),
  {
    field: 'spec.volumes[].emptyDir.medium',
    so: 'a volume is kept on disk or in Memory',
    when: (value: unknown) => typeof value === 'string' && value.startsWith('HugePages'),
  },
  {
    field: 'spec.volumes[].projected.sources[].serviceAccountToken',
    so: 'service accounts have no tokens, the file would be missing',
  },
  { field: 'spec.volumes[].projected.sources[].clusterTrustBundle', so: 'the file would be missing' },
  { field: 'spec.volumes[].projected.sources[].podCertificate', so: 'the files would be missing' },
  { field: 'containers[].volumeDevices', so: 'there are no block devices to give to the container' },
  { field: 'containers[].env[].valueFrom.fileKeyRef', so: 'the variable would be missing' },
  {
    field: 'containers[].volumeMounts[].recursiveReadOnly',
    so: 'mounts below would stay writable',
    when: is('Enabled'),
  },
  { field: 'containers[].livenessProbe.grpc', so: 'the probe would never succeed' },
  { field: 'containers[].readinessProbe.grpc', so: 'the probe would never succeed, the pod would never be ready' },
  { field: 'containers[].startupProbe.grpc', so: 'the probe would never succeed' },
  { field: 'spec.resourceClaims', so: 'there are no devices to claim' },
  { field: 'spec.hostUsers', so: 'containers would run with the users of the host', when: is(false) },
  { field: 'spec.runtimeClassName', so: 'there are no RuntimeClasses, containers run with the runtime of the engine' },
  { field: 'spec.os.name', so: 'nodes run Linux containers', when: is('windows') },
].map(line => ({ ...line, refuse: true }));

const warned: readonly Line[] = [
  {
    field: 'spec.automountServiceAccountToken',
    so: 'no token of the service account is mounted',
    when: is(true),
  },
  { field: 'spec.imagePullSecrets', so: 'images are pulled with the credentials of the engine' },
  { field: 'spec.setHostnameAsFQDN', so: 'the host name is the short one' },
  { field: 'spec.subdomain', so: 'the pod gets no DNS name' },
  { field: 'spec.workloadRef', so: 'the pod is scheduled on its own' },
  { field: 'spec.schedulingGroup', so: 'the pod is scheduled on its own' },
  { field: 'spec.securityContext.seLinuxOptions', so: 'containers run without that label' },
  { field: 'spec.securityContext.seLinuxChangePolicy', so: 'volumes are not relabelled' },
  { field: 'spec.securityContext.windowsOptions', so: 'nodes run Linux containers' },
  {
    field: 'spec.securityContext.fsGroupChangePolicy',
    so: 'ownership of volumes is set each time',
    when: is('OnRootMismatch'),
  },
  {
    field: 'spec.securityContext.supplementalGroupsPolicy',
    so: 'groups of the image are kept',
    when: is('Strict'),
  },
  { field: 'containers[].securityContext.seLinuxOptions', so: 'the container runs without that label' },
  { field: 'containers[].securityContext.windowsOptions', so: 'nodes run Linux containers' },
  { field: 'containers[].restartPolicyRules', so: 'exit codes make no difference to restarts' },
  { field: 'spec.containers[].restartPolicy', so: 'the restartPolicy of the pod decides' },
  {
    field: 'spec.initContainers[].restartPolicy',
    so: 'the restartPolicy of the pod decides',
    when: is('Never', 'OnFailure'),
  },
  {
    field: 'containers[].resources.limits[ephemeral-storage]',
    so: 'the container is placed by it, but not stopped when it writes more',
  },
];

const lines = [...refused, ...warned].flatMap(line =>
  line.field.startsWith('containers[]')
    ? ['spec.containers', 'spec.initContainers', 'spec.ephemeralContainers'].map(list => ({
        ...line,
        field: line.field.replace('containers', list),
      }))
    : [line],
);
const table = lines.map(line => ({ ...line, steps: line.field.match(/\[\]|\[[^\]]+\]|[^.[\]]+/g) ?? [] }));

export const unsupportedInPod = (pod: Pod): Unsupported => {
  const warnings: string[] = [];
  const refusals: Cause[] = [];
  for (const { steps, so, refuse, when = isSet } of table)
    find(pod, steps, 0, '', (value, path) => {
      if (!when(value)) return;
      if (refuse) refusals.push(forbiddenField(path, `not supported by Berth: ${so}`));
      else warnings.push(`${path}: not supported yet by Berth: ${so}`);
    });
  for (const [i, { emptyDir }] of (pod.spec.volumes ?? []).entries())
    if (emptyDir?.sizeLimit !== undefined && emptyDir.medium !== 'Memory')
      warnings.push(
        `spec.volumes[${i}].emptyDir.sizeLimit: not supported yet by Berth: a volume on disk is not limited`,
      );
  return { warnings, refusals };
};

const isSet = (value: unknown): boolean =>
  value !== undefined &&
  value !== null &&
  value !== false &&
  value !== '' &&
  !(Array.isArray(value) && value.length === 0);

/** Calls `visit` with every value that the steps lead to, and its path. */
const find = (
  value: unknown,
  steps: readonly string[],
  at: number,
  path: string,
  visit: (value: unknown, path: string) => void,
): void => {
  if (value === undefined || value === null) return;
  const step = steps[at];
  if (step === undefined) {
    visit(value, path);
    return;
  }
  if (step === '[]') {
    if (!Array.isArray(value)) return;
    for (const [i, item] of value.entries()) find(item, steps, at + 1, `${path}[${i}]`, visit);
    return;
  }
  const isKey = step.startsWith('[');
  const name = isKey ? step.slice(1, -1) : step;
  const next = isKey ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`;
  find((value as Record<string, unknown>)[name], steps, at + 1, next, visit);
};

const nothing: Unsupported = { warnings: [], refusals: [] };
const warning = (text: string): Unsupported => ({ warnings: [text], refusals: [] });

export const unsupportedInService = (_service: Service): Unsupported =>
  warning(
    'Service: not supported yet by Berth beyond scheduling: the scheduler spreads the pods it selects, but it gets no address, no DNS name and no traffic',
  );

export const unsupportedInReplicaSet = (): Unsupported =>
  warning(
    'ReplicaSet: not supported yet by Berth beyond scheduling: the scheduler spreads pods that it selects, but no pods are made for it',
  );

export const unsupportedInStatefulSet = (): Unsupported =>
  warning(
    'StatefulSet: not supported yet by Berth beyond scheduling: the scheduler spreads pods that it selects, but no pods and no claims are made for it',
  );

export const unsupportedInSecret = ({ type }: Secret): Unsupported =>
  type === 'kubernetes.io/service-account-token'
    ? warning(
        'type: not supported yet by Berth: no token is put into a secret of type kubernetes.io/service-account-token',
      )
    : nothing;

export const unsupportedInServiceAccount = ({
  imagePullSecrets,
  automountServiceAccountToken,
}: ServiceAccount): Unsupported => ({
  warnings: [
    ...((imagePullSecrets ?? []).length > 0
      ? ['imagePullSecrets: not supported yet by Berth: images are pulled with the credentials of the engine']
      : []),
    ...(automountServiceAccountToken
      ? ['automountServiceAccountToken: not supported yet by Berth: no token is mounted into pods']
      : []),
  ],
  refusals: [],
});
