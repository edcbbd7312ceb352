/** Descriptions of the kinds that make, serve and guard pods, in kubectl's layout. */
import type { ReplicaSet, StatefulSet } from '#api/kinds/apps.ts';
import type { Pod } from '#api/kinds/core.ts';
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import type { Service } from '#api/kinds/service.ts';
import { containerLines } from './container.ts';
import { type Events, eventLines } from './events.ts';
import { annotationLines, dateText, mapLines, orNone, Page } from './page.ts';
import { selectorText, spreadLines, tolerationLines } from './pod.ts';
import { volumeLines } from './volumes.ts';

/** `pods`: those that the set controls. */
export const describeReplicaSet = (set: ReplicaSet, pods: readonly Pod[], events: Events, nowMs: number): string => {
  const { metadata, spec, status } = set;
  const page = new Page();
  page.line(0, `Name:\t${metadata.name}`);
  page.line(0, `Namespace:\t${metadata.namespace}`);
  page.line(0, `Selector:\t${selectorText(spec.selector)}`);
  mapLines(page, 'Labels', metadata.labels);
  annotationLines(page, metadata.annotations);
  const owner = metadata.ownerReferences?.find(reference => reference.controller);
  if (owner) page.line(0, `Controlled By:\t${owner.kind}/${owner.name}`);
  page.line(0, `Replicas:\t${status?.replicas ?? 0} current / ${spec.replicas} desired`);
  phaseLine(page, pods);
  templateLines(page, spec.template);
  const conditions = status?.conditions ?? [];
  if (conditions.length > 0) page.line(0, 'Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------');
  for (const { type, status, reason } of conditions) page.line(1, `${type} \t${status}\t${reason ?? ''}`);
  eventLines(page, events, nowMs);
  return page.text();
};

export const describeStatefulSet = (set: StatefulSet, pods: readonly Pod[], events: Events, nowMs: number): string => {
  const { metadata, spec, status } = set;
  const page = new Page();
  page.line(0, `Name:\t${metadata.name}`);
  page.line(0, `Namespace:\t${metadata.namespace}`);
  page.line(0, `CreationTimestamp:\t${dateText(metadata.creationTimestamp)}`);
  page.line(0, `Selector:\t${selectorText(spec.selector)}`);
  mapLines(page, 'Labels', metadata.labels);
  annotationLines(page, metadata.annotations);
  page.line(0, `Replicas:\t${spec.replicas} desired | ${status?.replicas ?? 0} total`);
  page.line(0, `Update Strategy:\t${spec.updateStrategy?.type ?? ''}`);
  const partition = spec.updateStrategy?.rollingUpdate?.partition;
  if (partition !== undefined) page.line(1, `Partition:\t${partition}`);
  phaseLine(page, pods);
  templateLines(page, spec.template);
  claimLines(page, (spec.volumeClaimTemplates ?? []) as readonly ClaimTemplate[]);
  eventLines(page, events, nowMs);
  return page.text();
};

const phaseLine = (page: Page, pods: readonly Pod[]): void => {
  const count = (phase: string) => pods.filter(pod => pod.status?.phase === phase).length;
  page.line(
    0,
    `Pods Status:\t${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`,
  );
};

const templateLines = (page: Page, template: ReplicaSet['spec']['template']): void => {
  const { metadata, spec } = template ?? {};
  page.line(0, 'Pod Template:');
  mapLines(page, '  Labels', metadata?.labels);
  if (Object.keys(metadata?.annotations ?? {}).length > 0)
    annotationLines(page, metadata?.annotations, '  Annotations');
  if (spec?.serviceAccountName) page.line(0, `  Service Account:\t${spec.serviceAccountName}`);
  const init = spec?.initContainers ?? [];
  if (init.length > 0) containerLines(page, 'Init Containers', init, undefined, undefined);
  containerLines(page, 'Containers', spec?.containers ?? [], undefined, undefined);
  volumeLines(page, spec?.volumes ?? [], true);
  spreadLines(page, '  Topology Spread Constraints', spec?.topologySpreadConstraints ?? []);
  if (spec?.priorityClassName) page.line(0, `  Priority Class Name:\t${spec.priorityClassName}`);
  mapLines(page, '  Node-Selectors', spec?.nodeSelector);
  tolerationLines(page, '  Tolerations', spec?.tolerations ?? []);
};

interface ClaimTemplate {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly spec?: {
    readonly storageClassName?: string;
    readonly accessModes?: readonly string[];
    readonly resources?: { readonly requests?: Record<string, string> };
  };
}

const claimLines = (page: Page, claims: readonly ClaimTemplate[]): void => {
  page.line(0, claims.length === 0 ? 'Volume Claims:\t<none>' : 'Volume Claims:');
  for (const { metadata, spec } of claims) {
    page.line(1, `Name:\t${metadata?.name ?? ''}`);
    page.line(1, `StorageClass:\t${spec?.storageClassName ?? ''}`);
    mapLines(page, '  Labels', metadata?.labels);
    mapLines(page, '  Annotations', metadata?.annotations);
    page.line(1, `Capacity:\t${spec?.resources?.requests?.['storage'] ?? '<default>'}`);
    page.line(1, `Access Modes:\t[${(spec?.accessModes ?? []).join(' ')}]`);
  }
};

export const describeService = (service: Service, events: Events, nowMs: number): string => {
  const { metadata, spec } = service;
  const page = new Page();
  page.line(0, `Name:\t${metadata.name}`);
  page.line(0, `Namespace:\t${metadata.namespace}`);
  mapLines(page, 'Labels', metadata.labels);
  annotationLines(page, metadata.annotations);
  page.line(0, `Selector:\t${selectorText({ matchLabels: spec.selector ?? {} })}`);
  page.line(0, `Type:\t${spec.type}`);
  if (spec.ipFamilyPolicy) page.line(0, `IP Family Policy:\t${spec.ipFamilyPolicy}`);
  page.line(0, `IP Families:\t${orNone((spec.ipFamilies ?? []).join(','))}`);
  page.line(0, `IP:\t${spec.clusterIP ?? ''}`);
  page.line(0, `IPs:\t${orNone((spec.clusterIPs ?? []).join(','))}`);
  if (spec.externalIPs?.length) page.line(0, `External IPs:\t${spec.externalIPs.join(',')}`);
  if (spec.loadBalancerIP) page.line(0, `Desired LoadBalancer IP:\t${spec.loadBalancerIP}`);
  if (spec.externalName) page.line(0, `External Name:\t${spec.externalName}`);
  for (const { name, port, protocol, targetPort, nodePort } of spec.ports ?? []) {
    page.line(0, `Port:\t${name || '<unset>'}\t${port}/${protocol ?? ''}`);
    page.line(0, `TargetPort:\t${targetPort ?? port}/${protocol ?? ''}`);
    if (nodePort) page.line(0, `NodePort:\t${name || '<unset>'}\t${nodePort}/${protocol ?? ''}`);
    page.line(0, 'Endpoints:\t<none>');
  }
  page.line(0, `Session Affinity:\t${spec.sessionAffinity ?? ''}`);
  if (spec.externalTrafficPolicy) page.line(0, `External Traffic Policy:\t${spec.externalTrafficPolicy}`);
  if (spec.internalTrafficPolicy) page.line(0, `Internal Traffic Policy:\t${spec.internalTrafficPolicy}`);
  if (spec.healthCheckNodePort) page.line(0, `HealthCheck NodePort:\t${spec.healthCheckNodePort}`);
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0) page.line(0, `LoadBalancer Source Ranges:\t${ranges.join(',')}`);
  eventLines(page, events, nowMs);
  return page.text();
};

export const describeBudget = (budget: PodDisruptionBudget, events: Events, nowMs: number): string => {
  const { metadata, spec, status } = budget;
  const page = new Page();
  page.line(0, `Name:\t${metadata.name}`);
  page.line(0, `Namespace:\t${metadata.namespace}`);
  if (spec?.minAvailable !== undefined) page.line(0, `Min available:\t${spec.minAvailable}`);
  else if (spec?.maxUnavailable !== undefined) page.line(0, `Max unavailable:\t${spec.maxUnavailable}`);
  page.line(0, `Selector:\t${spec?.selector === undefined ? '<unset>' : selectorText(spec.selector)}`);
  page.line(0, 'Status:');
  page.line(2, `Allowed disruptions:\t${status?.disruptionsAllowed ?? 0}`);
  page.line(2, `Current:\t${status?.currentHealthy ?? 0}`);
  page.line(2, `Desired:\t${status?.desiredHealthy ?? 0}`);
  page.line(2, `Total:\t${status?.expectedPods ?? 0}`);
  eventLines(page, events, nowMs);
  return page.text();
};
