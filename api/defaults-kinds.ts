/** Defaults of the smaller kinds that depend on other fields (upstream SetDefaults_*). */
import { textToBase64 } from './base64.ts';
import { defaultTemplate } from './defaults-pod.ts';
import type { Namespace, Node, Secret, Service } from './kinds/core.ts';
import type { StatefulSet } from './kinds/workload.ts';

export const defaultNamespace = (namespace: Namespace): void => {
  const { metadata } = namespace;
  if (metadata.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
};

export const defaultNode = ({ spec, status }: Node): void => {
  if (spec.podCIDR && spec.podCIDRs === undefined) spec.podCIDRs = [spec.podCIDR];
  if (status?.capacity !== undefined) status.allocatable ??= { ...status.capacity };
};

/** `stringData` is for writing only: it goes over into `data`. */
export const defaultSecret = (secret: Secret): void => {
  const { stringData } = secret;
  if (stringData === undefined) return;
  const written = Object.entries(stringData).map(([key, text]) => [key, textToBase64(text)]);
  secret.data = { ...secret.data, ...Object.fromEntries(written) };
  delete secret.stringData;
};

const clientIPSeconds = 10800;

export const defaultService = ({ spec }: Service): void => {
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP')
    spec.sessionAffinityConfig = {
      clientIP: { timeoutSeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? clientIPSeconds },
    };
  for (const port of spec.ports ?? [])
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port;
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (external || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0))
    spec.externalTrafficPolicy ||= 'Cluster';
  if (external || spec.type === 'ClusterIP') spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  if (spec.clusterIP && spec.clusterIPs === undefined) spec.clusterIPs = [spec.clusterIP];
};

export const defaultStatefulSet = ({ spec }: StatefulSet): void => {
  defaultTemplate(spec.template);
  const { updateStrategy } = spec;
  if (updateStrategy?.type === 'RollingUpdate')
    updateStrategy.rollingUpdate = { partition: 0, ...updateStrategy.rollingUpdate };
  for (const claim of spec.volumeClaimTemplates ?? []) {
    if (claim.spec !== undefined) claim.spec.volumeMode ??= 'Filesystem';
    claim.status = { phase: 'Pending', ...claim.status };
    claim.apiVersion ??= 'v1';
    claim.kind ??= 'PersistentVolumeClaim';
  }
};
