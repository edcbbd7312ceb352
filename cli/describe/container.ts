/** A container in `describe pod`: what was asked for and how it stands. */

import type {
  Container,
  ContainerState,
  ContainerStatus,
  EnvVar,
  Pod,
  Probe,
  ResourceRequirements,
} from '#api/kinds/core.ts';
import { milliValue, wholeValue } from '#api/quantity.ts';
import { dateText, orNone, type Page, titleBool } from './page.ts';

/** All containers of one sort (`Init Containers`, `Containers`): those of `pod`, or without one those of a pod template. */
export const containerLines = (
  page: Page,
  title: string,
  containers: readonly Container[],
  statuses: readonly ContainerStatus[] | undefined,
  pod: Pod | undefined,
): void => {
  const space = pod === undefined ? '  ' : '';
  if (containers.length === 0) {
    page.line(0, `${space}${title}:\t<none>`);
    return;
  }
  page.line(0, `${space}${title}:`);
  for (const container of containers) {
    const status = statuses?.find(candidate => candidate.name === container.name);
    page.line(1, `${pod === undefined ? ' ' : ''}${container.name}:`);
    basics(page, container, status);
    words(page, 'Command', container.command);
    words(page, 'Args', container.args);
    if (status) {
      stateLines(page, 'State', status.state);
      if (status.lastState?.terminated) stateLines(page, 'Last State', status.lastState);
      page.line(2, `Ready:\t${titleBool(status.ready)}`);
      page.line(2, `Restart Count:\t${status.restartCount}`);
    }
    resourceLines(page, container.resources, 2);
    for (const [name, probe] of probesOf(container)) if (probe) page.line(2, `${name}:\t${probeText(probe)}`);
    envFromLines(page, container);
    envLines(page, container, pod);
    mountLines(page, container);
  }
};

const basics = (page: Page, container: Container, status: ContainerStatus | undefined): void => {
  if (status) page.line(2, `Container ID:\t${status.containerID ?? ''}`);
  page.line(2, `Image:\t${container.image ?? ''}`);
  if (status) page.line(2, `Image ID:\t${status.imageID ?? ''}`);
  const ports = (container.ports ?? []).map(port => `${port.containerPort}/${port.protocol ?? ''}`).join(', ');
  const hostPorts = (container.ports ?? []).map(port => `${port.hostPort ?? 0}/${port.protocol ?? ''}`).join(', ');
  page.line(2, ports.includes(',') ? `Ports:\t${ports}` : `Port:\t${orNone(ports)}`);
  page.line(2, hostPorts.includes(',') ? `Host Ports:\t${hostPorts}` : `Host Port:\t${orNone(hostPorts)}`);
  const seccomp = container.securityContext?.seccompProfile;
  if (seccomp) page.line(2, `SeccompProfile:\t${seccomp.type}`);
  if (seccomp?.localhostProfile) page.line(2, `LocalhostProfile:\t${seccomp.localhostProfile}`);
};

const words = (page: Page, title: string, list: readonly string[] | undefined): void => {
  if (!list || list.length === 0) return;
  page.line(2, `${title}:`);
  for (const word of list) for (const part of word.split('\n')) page.line(3, part);
};

const stateLines = (page: Page, title: string, state: ContainerState | undefined): void => {
  if (state?.running) {
    page.line(2, `${title}:\tRunning`);
    page.line(3, `Started:\t${dateText(state.running.startedAt)}`);
  } else if (state?.terminated) {
    const { reason, message, exitCode, signal, startedAt, finishedAt } = state.terminated;
    page.line(2, `${title}:\tTerminated`);
    if (reason) page.line(3, `Reason:\t${reason}`);
    if (message) page.line(3, `Message:\t${message}`);
    page.line(3, `Exit Code:\t${exitCode}`);
    if (signal) page.line(3, `Signal:\t${signal}`);
    page.line(3, `Started:\t${dateText(startedAt)}`);
    page.line(3, `Finished:\t${dateText(finishedAt)}`);
  } else {
    page.line(2, `${title}:\tWaiting`);
    if (state?.waiting?.reason) page.line(3, `Reason:\t${state.waiting.reason}`);
  }
};

/** Limits before requests, each sorted by name. */
export const resourceLines = (page: Page, resources: ResourceRequirements | undefined, level: number): void => {
  for (const [title, list] of [
    ['Limits', resources?.limits],
    ['Requests', resources?.requests],
  ] as const) {
    const names = Object.keys(list ?? {}).sort();
    if (names.length > 0) page.line(level, `${title}:`);
    for (const name of names) page.line(level + 1, `${name}:\t${list![name]}`);
  }
};

const probesOf = (container: Container): [string, Probe | undefined][] => [
  ['Liveness', container.livenessProbe],
  ['Readiness', container.readinessProbe],
  ['Startup', container.startupProbe],
];

const probeText = (probe: Probe): string => {
  const {
    initialDelaySeconds = 0,
    timeoutSeconds = 0,
    periodSeconds = 0,
    successThreshold = 0,
    failureThreshold = 0,
  } = probe;
  const timing = `delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
  if (probe.exec) return `exec [${(probe.exec.command ?? []).join(' ')}] ${timing}`;
  if (probe.httpGet) {
    const { scheme = '', host = '', port, path = '' } = probe.httpGet;
    const rooted = path === '' || path.startsWith('/') ? path : `/${path}`;
    return `http-get ${scheme.toLowerCase()}://${host}:${port}${rooted} ${timing}`;
  }
  if (probe.tcpSocket) return `tcp-socket ${probe.tcpSocket.host ?? ''}:${probe.tcpSocket.port} ${timing}`;
  if (probe.grpc) return `grpc <pod>:${probe.grpc.port} ${probe.grpc.service ?? ''} ${timing}`;
  return `unknown ${timing}`;
};

const envFromLines = (page: Page, container: Container): void => {
  if (!container.envFrom || container.envFrom.length === 0) return;
  page.line(2, 'Environment Variables from:');
  for (const { configMapRef, secretRef, prefix } of container.envFrom) {
    const reference = configMapRef ?? secretRef;
    const name = `${reference?.name ?? ''}\t${configMapRef ? 'ConfigMap' : 'Secret'}`;
    page.line(3, `${name}${prefix ? ` with prefix '${prefix}'` : ''}\tOptional: ${reference?.optional ?? false}`);
  }
};

const envLines = (page: Page, container: Container, pod: Pod | undefined): void => {
  const env = container.env ?? [];
  page.line(2, env.length === 0 ? 'Environment:\t<none>' : 'Environment:');
  for (const variable of env) {
    if (!variable.valueFrom) {
      const [first = '', ...rest] = (variable.value ?? '').split('\n');
      page.line(3, `${variable.name}:\t${first}`);
      for (const part of rest) page.line(3, `\t${part}`);
    } else page.line(3, `${variable.name}:\t${sourceText(variable.valueFrom, container, pod)}`);
  }
};

const sourceText = (from: NonNullable<EnvVar['valueFrom']>, container: Container, pod: Pod | undefined): string => {
  if (from.fieldRef) {
    const { apiVersion = 'v1', fieldPath } = from.fieldRef;
    return `${pod === undefined ? '' : fieldValue(pod, fieldPath)} (${apiVersion}:${fieldPath})`;
  }
  if (from.resourceFieldRef) {
    const { resource } = from.resourceFieldRef;
    return `${resourceValue(container, resource, from.resourceFieldRef.divisor)} (${resource})`;
  }
  if (from.secretKeyRef) {
    const { key, name, optional } = from.secretKeyRef;
    return `<set to the key '${key}' in secret '${name}'>\tOptional: ${optional ?? false}`;
  }
  const { key = '', name = '', optional } = from.configMapKeyRef ?? {};
  return `<set to the key '${key}' of config map '${name}'>\tOptional: ${optional ?? false}`;
};

/** Only metadata is resolved here, as in kubectl; the rest stays blank. */
const fieldValue = (pod: Pod, path: string): string => {
  const { metadata } = pod;
  const keyed = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path);
  if (keyed) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2]!] ?? '';
  const values: Record<string, string | undefined> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
  };
  return values[path] ?? '';
};

const resourceValue = (container: Container, path: string, divisor: string | undefined): string => {
  const [side, ...rest] = path.split('.');
  const name = rest.join('.');
  const value = container.resources?.[side as 'limits' | 'requests']?.[name];
  if (value === undefined) return path === 'limits.cpu' || path === 'limits.memory' ? 'node allocatable' : '0';
  const unit = divisor === undefined || divisor === '0' ? '1' : divisor;
  if (name === 'cpu') return String(Math.ceil(milliValue(value) / milliValue(unit)));
  return String(Math.ceil(wholeValue(value) / wholeValue(unit)));
};

const mountLines = (page: Page, container: Container): void => {
  const mounts = [...(container.volumeMounts ?? [])].sort((a, b) => (a.mountPath < b.mountPath ? -1 : 1));
  page.line(2, mounts.length === 0 ? 'Mounts:\t<none>' : 'Mounts:');
  for (const mount of mounts) {
    const flags = [mount.readOnly ? 'ro' : 'rw', ...(mount.subPath ? [`path=${JSON.stringify(mount.subPath)}`] : [])];
    page.line(3, `${mount.mountPath} from ${mount.name} (${flags.join(',')})`);
  }
  const devices = container.volumeDevices ?? [];
  if (devices.length > 0) page.line(2, 'Devices:');
  for (const device of devices) page.line(3, `${device.devicePath} from ${device.name}`);
};
