/** Columns of the kinds of the core group (KUBECTL-WIRE §5). */
import { age } from '#api/duration.ts';
import type { Column } from '#api/kind.ts';
import type { ConfigMap, Event, Namespace, Node, Pod, Secret, Service, ServiceAccount } from '#api/kinds/core.ts';
import { podSummary, readinessGates } from './pod-summary.ts';
import { ageColumn, labelsText, nameColumn, none } from './standard.ts';

const unknown = '<unknown>';

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  {
    name: 'Ready',
    type: 'string',
    description: 'Containers that are ready, of all containers and sidecars.',
    cell: pod => {
      const { ready, total } = podSummary(pod);
      return `${ready}/${total}`;
    },
  },
  {
    name: 'Status',
    type: 'string',
    description: 'What the pod is doing: its phase, or the reason of the container that holds it up.',
    cell: pod => podSummary(pod).status,
  },
  {
    name: 'Restarts',
    type: 'string',
    description: 'Restarts of its containers, and when the last one was.',
    cell: (pod, nowMs) => {
      const { restarts, lastRestart } = podSummary(pod);
      return restarts === 0 || lastRestart === '' ? `${restarts}` : `${restarts} (${age(lastRestart, nowMs)} ago)`;
    },
  },
  ageColumn,
  {
    name: 'IP',
    type: 'string',
    description: 'Address of the pod.',
    priority: 1,
    cell: pod => pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || none,
  },
  {
    name: 'Node',
    type: 'string',
    description: 'Node that the pod is bound to.',
    priority: 1,
    cell: pod => pod.spec.nodeName || none,
  },
  {
    name: 'Nominated Node',
    type: 'string',
    description: 'Node where the pod will run once the pods it preempted are gone.',
    priority: 1,
    cell: pod => pod.status?.nominatedNodeName || none,
  },
  {
    name: 'Readiness Gates',
    type: 'string',
    description: 'Readiness gates that are true, of all gates.',
    priority: 1,
    cell: readinessGates,
  },
];

const nodeStatus = (node: Node): string => {
  const ready = node.status?.conditions?.find(condition => condition.type === 'Ready');
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec.unschedulable ? `${word},SchedulingDisabled` : word;
};

const rolePrefix = 'node-role.kubernetes.io/';

const nodeRoles = (node: Node): string => {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length));
    if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return [...roles].sort().join(',') || none;
};

const addressColumn = (name: string, type: string): Column<Node> => ({
  name,
  type: 'string',
  description: `First address of type ${type}.`,
  priority: 1,
  cell: node => node.status?.addresses?.find(address => address.type === type)?.address ?? none,
});

const nodeInfoColumn = (
  name: string,
  key: 'osImage' | 'kernelVersion' | 'containerRuntimeVersion',
  description: string,
): Column<Node> => ({
  name,
  type: 'string',
  description,
  priority: 1,
  cell: node => node.status?.nodeInfo?.[key] || unknown,
});

export const nodeColumns: readonly Column<Node>[] = [
  nameColumn,
  { name: 'Status', type: 'string', description: 'Ready or not, and whether it takes new pods.', cell: nodeStatus },
  { name: 'Roles', type: 'string', description: 'Roles from labels of the node.', cell: nodeRoles },
  ageColumn,
  {
    name: 'Version',
    type: 'string',
    description: 'Version of the node agent.',
    cell: node => node.status?.nodeInfo?.kubeletVersion ?? '',
  },
  addressColumn('Internal-IP', 'InternalIP'),
  addressColumn('External-IP', 'ExternalIP'),
  nodeInfoColumn('OS-Image', 'osImage', 'Operating system.'),
  nodeInfoColumn('Kernel-Version', 'kernelVersion', 'Kernel.'),
  nodeInfoColumn('Container-Runtime', 'containerRuntimeVersion', 'Container engine and its version.'),
];

export const namespaceColumns: readonly Column<Namespace>[] = [
  nameColumn,
  {
    name: 'Status',
    type: 'string',
    description: 'Active, or Terminating while it is being emptied.',
    cell: namespace => namespace.status?.phase ?? '',
  },
  ageColumn,
];

const eventFirst = (event: Event, nowMs: number): string => age(event.firstTimestamp ?? event.eventTime, nowMs);

const eventLast = (event: Event, nowMs: number): string => {
  if (event.series !== undefined) return age(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp === undefined ? eventFirst(event, nowMs) : age(event.lastTimestamp, nowMs);
};

const eventObject = ({ involvedObject }: Event): string => {
  const { kind = '', name = '' } = involvedObject ?? {};
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
};

const eventSource = (event: Event): string => {
  const component = event.source?.component || event.reportingComponent || '';
  const instance = event.source?.host || event.reportingInstance || '';
  return instance === '' ? component : `${component}, ${instance}`;
};

export const eventColumns: readonly Column<Event>[] = [
  { name: 'Last Seen', type: 'string', description: 'Time since it happened last.', cell: eventLast },
  { name: 'Type', type: 'string', description: 'Normal or Warning.', cell: event => event.type ?? '' },
  { name: 'Reason', type: 'string', description: 'What happened, as one word.', cell: event => event.reason ?? '' },
  { name: 'Object', type: 'string', description: 'The object it happened to.', cell: eventObject },
  {
    name: 'Subobject',
    type: 'string',
    description: 'Part of the object it happened to.',
    priority: 1,
    cell: event => event.involvedObject?.fieldPath ?? '',
  },
  { name: 'Source', type: 'string', description: 'Who reported it, and where.', priority: 1, cell: eventSource },
  {
    name: 'Message',
    type: 'string',
    description: 'What happened, in words.',
    cell: event => (event.message ?? '').trim(),
  },
  { name: 'First Seen', type: 'string', description: 'Time since it happened first.', priority: 1, cell: eventFirst },
  {
    name: 'Count',
    type: 'string',
    description: 'How many times it happened.',
    priority: 1,
    cell: event => event.series?.count ?? (event.count || 1),
  },
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'Name of the event.',
    priority: 1,
    cell: event => event.metadata.name,
  },
];

const size = (map: object | undefined): number => Object.keys(map ?? {}).length;

export const configMapColumns: readonly Column<ConfigMap>[] = [
  nameColumn,
  { name: 'Data', type: 'string', description: 'Number of keys.', cell: map => size(map.data) + size(map.binaryData) },
  ageColumn,
];

export const secretColumns: readonly Column<Secret>[] = [
  nameColumn,
  { name: 'Type', type: 'string', description: 'What the secret is for.', cell: secret => secret.type ?? '' },
  { name: 'Data', type: 'string', description: 'Number of keys.', cell: secret => size(secret.data) },
  ageColumn,
];

export const serviceAccountColumns: readonly Column<ServiceAccount>[] = [
  nameColumn,
  {
    name: 'Secrets',
    type: 'string',
    description: 'Number of secrets that pods of this account may use.',
    cell: account => account.secrets?.length ?? 0,
  },
  ageColumn,
];

const externalIp = ({ spec, status }: Service): string => {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return external.join(',') || none;
    case 'LoadBalancer': {
      const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '');
      return [...[...new Set(ingress)].filter(address => address !== '').sort(), ...external].join(',') || '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return unknown;
  }
};

const servicePorts = ({ spec }: Service): string =>
  (spec.ports ?? [])
    .map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol ?? 'TCP'}`)
    .join(',') || none;

export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  {
    name: 'Type',
    type: 'string',
    description: 'How the service is exposed.',
    cell: service => service.spec.type ?? '',
  },
  {
    name: 'Cluster-IP',
    type: 'string',
    description: 'Address of the service inside the cluster.',
    cell: service => service.spec.clusterIPs?.[0] || service.spec.clusterIP || none,
  },
  { name: 'External-IP', type: 'string', description: 'Addresses from outside the cluster.', cell: externalIp },
  { name: 'Port(s)', type: 'string', description: 'Ports and protocols.', cell: servicePorts },
  ageColumn,
  {
    name: 'Selector',
    type: 'string',
    description: 'Labels of the pods behind the service.',
    priority: 1,
    cell: service => labelsText(service.spec.selector),
  },
];
