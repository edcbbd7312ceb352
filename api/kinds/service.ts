/** Schemas of Service. */
import type { Static } from 'typebox';
import {
  atomicMapOf,
  bool,
  core,
  field,
  int32,
  intOrString,
  listBy,
  listOf,
  objectSchema,
  openEnum,
  string,
  struct,
} from '#api/schema.ts';
import { protocol } from './container.ts';
import { conditionSchema, objectMetaSchema } from './meta.ts';

const servicePortSchema = struct(
  core('ServicePort'),
  'A port of the service.',
  { port: int32('Port that clients use.') },
  {
    name: string('Name of the port; required when there are several.'),
    protocol: protocol('Protocol of the port.'),
    appProtocol: string('Protocol spoken over it, as a hint.'),
    targetPort: intOrString('Port of the pods, or name of a container port; default the same as port.'),
    nodePort: int32('Port of every node that leads to it.'),
  },
);
export interface ServicePort extends Static<typeof servicePortSchema> {}

const clientIPConfigSchema = struct(
  core('ClientIPConfig'),
  'How long a client sticks to a pod.',
  {},
  { timeoutSeconds: int32('Seconds, up to 86400.') },
);
const sessionAffinityConfigSchema = struct(
  core('SessionAffinityConfig'),
  'Settings of session affinity.',
  {},
  { clientIP: field(clientIPConfigSchema, 'For affinity by client address.') },
);
const portStatusSchema = struct(
  core('PortStatus'),
  'State of a port of a load balancer.',
  { port: int32('The port.'), protocol: string('Its protocol.') },
  { error: string('What is wrong with it.') },
);
const loadBalancerIngressSchema = struct(
  core('LoadBalancerIngress'),
  'A way into the load balancer.',
  {},
  {
    ip: string('Address.'),
    hostname: string('Name.'),
    ipMode: string('VIP or Proxy.'),
    ports: listOf(portStatusSchema, 'State of its ports.'),
  },
);
const loadBalancerStatusSchema = struct(
  core('LoadBalancerStatus'),
  'State of the load balancer.',
  {},
  { ingress: listOf(loadBalancerIngressSchema, 'Ways in.') },
);

export const serviceSpecSchema = struct(
  core('ServiceSpec'),
  'What the service is to be.',
  {},
  {
    ports: listBy(servicePortSchema, { mergeKey: 'port', applyKeys: ['port', 'protocol'] }, 'Ports of the service.'),
    selector: atomicMapOf(string('A label value.'), 'Labels of the pods that serve it.'),
    clusterIP: string('Address of the service; None for a headless one.'),
    clusterIPs: listOf(string('An address.'), 'Addresses of the service, one per IP family.'),
    type: openEnum<'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'>('How the service is exposed.', {
      default: 'ClusterIP',
    }),
    externalIPs: listOf(string('An address.'), 'Further addresses that lead to it.'),
    sessionAffinity: openEnum<'None' | 'ClientIP'>('ClientIP: a client stays with the same pod.', { default: 'None' }),
    loadBalancerIP: string('Deprecated: address of the load balancer.'),
    loadBalancerSourceRanges: listOf(string('An address range.'), 'Clients that the load balancer lets in.'),
    externalName: string('Name that clients are sent to, for type ExternalName.'),
    externalTrafficPolicy: string('Cluster or Local, for traffic from outside.'),
    healthCheckNodePort: int32('Port for health checks of the load balancer.'),
    publishNotReadyAddresses: bool('True: pods that are not ready count too.'),
    sessionAffinityConfig: field(sessionAffinityConfigSchema, 'Settings of session affinity.'),
    ipFamilies: listOf(string('IPv4 or IPv6.'), 'IP families of the service.'),
    ipFamilyPolicy: string('SingleStack, PreferDualStack or RequireDualStack.'),
    allocateLoadBalancerNodePorts: bool('False: a load balancer needs no node ports.'),
    loadBalancerClass: string('Which load balancer serves it.'),
    internalTrafficPolicy: string('Cluster or Local, for traffic from inside.'),
    trafficDistribution: string('Which pods are preferred.'),
  },
);
export interface ServiceSpec extends Static<typeof serviceSpecSchema> {}

const serviceStatusSchema = struct(
  core('ServiceStatus'),
  'What the service is.',
  {},
  {
    loadBalancer: field(loadBalancerStatusSchema, 'State of the load balancer.', { default: {} }),
    conditions: listBy(conditionSchema, { mergeKey: 'type' }, 'Aspects of its state.'),
  },
);

export const serviceSchema = objectSchema(
  { group: '', version: 'v1', kind: 'Service', title: core('Service') },
  'A name and address for a set of pods.',
  {
    metadata: objectMetaSchema,
    always: { spec: field(serviceSpecSchema, 'What the service is to be.') },
    optional: { status: field(serviceStatusSchema, 'What the service is.') },
  },
);
export interface Service extends Static<typeof serviceSchema> {}
