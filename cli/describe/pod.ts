/** `describe pod`, in kubectl's layout. */
import { humanDuration } from '#api/duration.ts';
import type { Pod, Toleration } from '#api/kinds/core.ts';
import type { LabelSelector } from '#api/labels.ts';
import { containerLines, resourceLines } from './container.ts';
import { type Events, eventLines } from './events.ts';
import { annotationLines, dateText, mapLines, orNone, Page } from './page.ts';
import { volumeLines } from './volumes.ts';

export const describePod = (pod: Pod, events: Events, nowMs: number): string => {
  const page = new Page();
  head(page, pod, nowMs);
  const { spec, status } = pod;
  const init = spec.initContainers ?? [];
  if (init.length > 0) containerLines(page, 'Init Containers', init, status?.initContainerStatuses, pod);
  containerLines(page, 'Containers', spec.containers, status?.containerStatuses, pod);
  const gates = spec.readinessGates ?? [];
  if (gates.length > 0) page.line(0, 'Readiness Gates:\n  Type\tStatus');
  for (const { conditionType } of gates) {
    const condition = status?.conditions?.find(candidate => candidate.type === conditionType);
    page.line(1, `${conditionType} \t${condition?.status ?? '<none>'} `);
  }
  const conditions = status?.conditions ?? [];
  if (conditions.length > 0) page.line(0, 'Conditions:\n  Type\tStatus');
  for (const condition of conditions) page.line(1, `${condition.type} \t${condition.status} `);
  volumeLines(page, spec.volumes ?? []);
  page.line(0, `QoS Class:\t${status?.qosClass ?? ''}`);
  mapLines(page, 'Node-Selectors', spec.nodeSelector);
  tolerationLines(page, 'Tolerations', spec.tolerations ?? []);
  spreadLines(page, 'Topology Spread Constraints', spec.topologySpreadConstraints ?? []);
  eventLines(page, events, nowMs);
  return page.text();
};

const head = (page: Page, pod: Pod, nowMs: number): void => {
  const { metadata, spec, status } = pod;
  page.line(0, `Name:\t${metadata.name}`);
  page.line(0, `Namespace:\t${metadata.namespace}`);
  if (spec.priority !== undefined) page.line(0, `Priority:\t${spec.priority}`);
  if (spec.priorityClassName) page.line(0, `Priority Class Name:\t${spec.priorityClassName}`);
  if (spec.runtimeClassName) page.line(0, `Runtime Class Name:\t${spec.runtimeClassName}`);
  if (spec.serviceAccountName) page.line(0, `Service Account:\t${spec.serviceAccountName}`);
  page.line(0, `Node:\t${spec.nodeName ? `${spec.nodeName}/${status?.hostIP ?? ''}` : '<none>'}`);
  if (status?.startTime) page.line(0, `Start Time:\t${dateText(status.startTime)}`);
  mapLines(page, 'Labels', metadata.labels);
  annotationLines(page, metadata.annotations);
  const ended = status?.phase === 'Failed' || status?.phase === 'Succeeded';
  if (metadata.deletionTimestamp && !ended) {
    const lasts = humanDuration(nowMs - Date.parse(metadata.deletionTimestamp));
    page.line(0, `Status:\tTerminating (lasts ${lasts})`);
    page.line(0, `Termination Grace Period:\t${metadata.deletionGracePeriodSeconds ?? 0}s`);
  } else page.line(0, `Status:\t${status?.phase ?? ''}`);
  if (status?.reason) page.line(0, `Reason:\t${status.reason}`);
  if (status?.message) page.line(0, `Message:\t${status.message}`);
  const seccomp = spec.securityContext?.seccompProfile;
  if (seccomp) page.line(0, `SeccompProfile:\t${seccomp.type}`);
  if (seccomp?.localhostProfile) page.line(0, `LocalhostProfile:\t${seccomp.localhostProfile}`);
  page.line(0, `IP:\t${status?.podIP ?? ''}`);
  const ips = status?.podIPs ?? [];
  page.line(0, ips.length === 0 ? 'IPs:\t<none>' : 'IPs:');
  for (const { ip } of ips) page.line(1, `IP:\t${ip}`);
  const owner = metadata.ownerReferences?.find(reference => reference.controller);
  if (owner) page.line(0, `Controlled By:\t${owner.kind}/${owner.name}`);
  if (status?.nominatedNodeName) page.line(0, `NominatedNodeName:\t${status.nominatedNodeName}`);
  if (spec.resources) {
    page.line(0, 'Resources:');
    resourceLines(page, spec.resources, 1);
  }
};

/** `key=value:Effect op=Exists for 300s`, sorted by key. */
export const tolerationLines = (page: Page, title: string, tolerations: readonly Toleration[]): void => {
  if (tolerations.length === 0) {
    page.line(0, `${title}:\t<none>`);
    return;
  }
  const sorted = [...tolerations].sort((a, b) =>
    (a.key ?? '') < (b.key ?? '') ? -1 : (a.key ?? '') > (b.key ?? '') ? 1 : 0,
  );
  for (const [i, toleration] of sorted.entries()) {
    page.line(0, `${i === 0 ? `${title}:` : ''}\t${tolerationText(toleration)}`);
  }
};

const tolerationText = ({ key = '', value = '', effect = '', operator, tolerationSeconds }: Toleration): string => {
  const exists = operator === 'Exists' && value === '' ? (key || effect ? ' op=Exists' : 'op=Exists') : '';
  const seconds = tolerationSeconds === undefined ? '' : ` for ${tolerationSeconds}s`;
  return `${key}${value ? `=${value}` : ''}${effect ? `:${effect}` : ''}${exists}${seconds}`;
};

type SpreadConstraint = NonNullable<Pod['spec']['topologySpreadConstraints']>[number];

export const spreadLines = (page: Page, title: string, constraints: readonly SpreadConstraint[]): void => {
  const sorted = [...constraints];
  sorted.sort((a, b) => (a.topologyKey < b.topologyKey ? -1 : a.topologyKey > b.topologyKey ? 1 : 0));
  for (const [i, constraint] of sorted.entries()) {
    const { topologyKey, whenUnsatisfiable, maxSkew, labelSelector } = constraint;
    const selector = labelSelector ? ` for selector ${selectorText(labelSelector)}` : '';
    page.line(
      0,
      `${i === 0 ? `${title}:` : ''}\t${topologyKey}:${whenUnsatisfiable} when max skew ${maxSkew} is exceeded${selector}`,
    );
  }
};

/** A label selector as one line: `app=web,tier in (a,b),!old`, by key. */
export const selectorText = (selector: LabelSelector): string => {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }));
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return { key, text: key };
    if (operator === 'DoesNotExist') return { key, text: `!${key}` };
    return { key, text: `${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].sort().join(',')})` };
  });
  const all = [...labels, ...expressions].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return orNone(all.map(({ text }) => text).join(','));
};
