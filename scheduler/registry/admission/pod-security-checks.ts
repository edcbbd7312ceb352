/**
 * The checks of the Pod Security Standards, one function each: what a pod does that its level forbids, in the words of
 * upstream's k8s.io/pod-security-admission/policy. Order within a level is that of upstream's check identifiers.
 */
import type { SecurityContext } from '#api/kinds/container.ts';
import type { PodSpec } from '#api/kinds/pod.ts';

/** `reason (detail)`, or undefined when the pod complies. */
export type Check = (spec: PodSpec) => string | undefined;

interface ContainerView {
  readonly name: string;
  readonly securityContext?: SecurityContext;
  readonly ports?: readonly { readonly hostPort?: number }[];
}

const containersOf = (spec: PodSpec): readonly ContainerView[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

const quoted = (values: Iterable<string>): string => [...values].map(value => JSON.stringify(value)).join(', ');
const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`);
const containersNamed = (names: readonly string[]): string => `${plural('container', names.length)} ${quoted(names)}`;
const namesWhere = (spec: PodSpec, holds: (container: ContainerView) => boolean): readonly string[] =>
  containersOf(spec)
    .filter(holds)
    .map(container => container.name);
const sorted = (values: Iterable<string>): readonly string[] => [...new Set(values)].sort();

const allowedAppArmor = new Set(['RuntimeDefault', 'Localhost']);
const appArmorProfile: Check = spec => {
  const bad = (type: string | undefined) => type !== undefined && !allowedAppArmor.has(type);
  const values = new Set<string>();
  const setters: string[] = [];
  const podType = spec.securityContext?.appArmorProfile?.type;
  if (bad(podType)) {
    setters.push('pod');
    values.add(podType!);
  }
  const names = namesWhere(spec, container => {
    const type = container.securityContext?.appArmorProfile?.type;
    if (bad(type)) values.add(type!);
    return bad(type);
  });
  if (names.length > 0) setters.push(containersNamed(names));
  if (setters.length === 0) return undefined;
  const profiles = plural('profile', values.size);
  return `forbidden AppArmor ${profiles} (${setters.join(' and ')} must not set AppArmor profile type to ${quoted(sorted(values))})`;
};

const defaultCapabilities = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
);
const nonDefaultCapabilities: Check = spec => {
  const added = new Set<string>();
  const names = namesWhere(spec, container => {
    const bad = (container.securityContext?.capabilities?.add ?? []).filter(name => !defaultCapabilities.has(name));
    for (const name of bad) added.add(name);
    return bad.length > 0;
  });
  if (names.length === 0) return undefined;
  return `non-default capabilities (${containersNamed(names)} must not include ${quoted(sorted(added))} in securityContext.capabilities.add)`;
};

const hostNamespaces: Check = spec => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter(field => spec[field]);
  return used.length === 0 ? undefined : `host namespaces (${used.map(field => `${field}=true`).join(', ')})`;
};

const hostPathVolumes: Check = spec => {
  const names = (spec.volumes ?? []).filter(volume => volume.hostPath !== undefined).map(volume => volume.name);
  return names.length === 0 ? undefined : `hostPath volumes (${plural('volume', names.length)} ${quoted(names)})`;
};

export const hostPortsCheck: Check = spec => {
  const ports = new Set<number>();
  const names = namesWhere(spec, container => {
    const used = (container.ports ?? []).flatMap(({ hostPort }) => (hostPort ? [hostPort] : []));
    for (const port of used) ports.add(port);
    return used.length > 0;
  });
  if (names.length === 0) return undefined;
  const uses = names.length === 1 ? 'uses' : 'use';
  const list = sorted([...ports].map(String)).join(', ');
  return `hostPort (${containersNamed(names)} ${uses} ${plural('hostPort', ports.size)} ${list})`;
};

const privileged: Check = spec => {
  const names = namesWhere(spec, container => container.securityContext?.privileged === true);
  return names.length === 0
    ? undefined
    : `privileged (${containersNamed(names)} must not set securityContext.privileged=true)`;
};

const procMount: Check = spec => {
  const values = new Set<string>();
  const names = namesWhere(spec, ({ securityContext }) => {
    const value = securityContext?.procMount;
    if (value === undefined || value === 'Default') return false;
    values.add(value);
    return true;
  });
  if (names.length === 0) return undefined;
  return `procMount (${containersNamed(names)} must not set securityContext.procMount to ${quoted(sorted(values))})`;
};

const allowedSelinuxTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']);
const seLinuxOptions: Check = spec => {
  const faults = new Set<string>();
  const bad = (options: { type?: string; user?: string; role?: string } | undefined): boolean => {
    if (options === undefined) return false;
    const { type = '', user = '', role = '' } = options;
    if (!allowedSelinuxTypes.has(type)) faults.add(`type ${JSON.stringify(type)}`);
    if (user !== '') faults.add('user may not be set');
    if (role !== '') faults.add('role may not be set');
    return !allowedSelinuxTypes.has(type) || user !== '' || role !== '';
  };
  const setters: string[] = bad(spec.securityContext?.seLinuxOptions) ? ['pod'] : [];
  const names = namesWhere(spec, container => bad(container.securityContext?.seLinuxOptions));
  if (names.length > 0) setters.push(containersNamed(names));
  if (setters.length === 0) return undefined;
  return `seLinuxOptions (${setters.join(' and ')} set forbidden securityContext.seLinuxOptions: ${[...faults].join('; ')})`;
};

const seccompBaseline: Check = spec => {
  const bad = (context: { seccompProfile?: { type?: string } } | undefined) =>
    context?.seccompProfile?.type === 'Unconfined';
  const setters: string[] = bad(spec.securityContext) ? ['pod'] : [];
  const names = namesWhere(spec, container => bad(container.securityContext));
  if (names.length > 0) setters.push(containersNamed(names));
  if (setters.length === 0) return undefined;
  return `seccompProfile (${setters.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined")`;
};

const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);
const sysctls: Check = spec => {
  const names = (spec.securityContext?.sysctls ?? []).map(sysctl => sysctl.name).filter(name => !safeSysctls.has(name));
  return names.length === 0 ? undefined : `forbidden sysctls (${names.join(', ')})`;
};

const windowsHostProcess: Check = spec => {
  const setters: string[] = spec.securityContext?.windowsOptions?.hostProcess ? ['pod'] : [];
  const names = namesWhere(spec, container => container.securityContext?.windowsOptions?.hostProcess === true);
  if (names.length > 0) setters.push(containersNamed(names));
  if (setters.length === 0) return undefined;
  return `hostProcess (${setters.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true)`;
};

export const baselineChecks: readonly Check[] = [
  appArmorProfile,
  nonDefaultCapabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPortsCheck,
  privileged,
  procMount,
  seLinuxOptions,
  seccompBaseline,
  sysctls,
  windowsHostProcess,
];

const allowPrivilegeEscalation: Check = spec => {
  const names = namesWhere(spec, container => container.securityContext?.allowPrivilegeEscalation !== false);
  return names.length === 0
    ? undefined
    : `allowPrivilegeEscalation != false (${containersNamed(names)} must set securityContext.allowPrivilegeEscalation=false)`;
};

const unrestrictedCapabilities: Check = spec => {
  const added = new Set<string>();
  const keeping = namesWhere(spec, c => !(c.securityContext?.capabilities?.drop ?? []).includes('ALL'));
  const adding = namesWhere(spec, container => {
    const bad = (container.securityContext?.capabilities?.add ?? []).filter(name => name !== 'NET_BIND_SERVICE');
    for (const name of bad) added.add(name);
    return bad.length > 0;
  });
  const faults = [
    ...(keeping.length === 0 ? [] : [`${containersNamed(keeping)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(adding.length === 0
      ? []
      : [`${containersNamed(adding)} must not include ${quoted(sorted(added))} in securityContext.capabilities.add`]),
  ];
  return faults.length === 0 ? undefined : `unrestricted capabilities (${faults.join('; ')})`;
};

const allowedVolumes = new Set(
  'configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret'.split(' '),
);
const restrictedVolumes: Check = spec => {
  const types = new Set<string>();
  const names = (spec.volumes ?? []).flatMap(volume => {
    const type = Object.keys(volume).find(key => key !== 'name');
    if (type === undefined || allowedVolumes.has(type)) return [];
    types.add(type);
    return [volume.name];
  });
  if (names.length === 0) return undefined;
  const uses = names.length === 1 ? 'uses' : 'use';
  return `restricted volume types (${plural('volume', names.length)} ${quoted(names)} ${uses} restricted volume ${plural('type', types.size)} ${quoted(sorted(types))})`;
};

const runAsNonRoot: Check = spec => {
  const pod = spec.securityContext?.runAsNonRoot;
  const explicit = namesWhere(spec, container => container.securityContext?.runAsNonRoot === false);
  const implicit = namesWhere(spec, container => container.securityContext?.runAsNonRoot === undefined);
  const setters = [...(pod === false ? ['pod'] : []), ...(explicit.length > 0 ? [containersNamed(explicit)] : [])];
  if (setters.length > 0)
    return `runAsNonRoot != true (${setters.join(' and ')} must not set securityContext.runAsNonRoot=false)`;
  if (implicit.length === 0 || pod === true) return undefined;
  return `runAsNonRoot != true (pod or ${containersNamed(implicit)} must set securityContext.runAsNonRoot=true)`;
};

const runAsUser: Check = spec => {
  const setters: string[] = spec.securityContext?.runAsUser === 0 ? ['pod'] : [];
  const names = namesWhere(spec, container => container.securityContext?.runAsUser === 0);
  if (names.length > 0) setters.push(containersNamed(names));
  return setters.length === 0 ? undefined : `runAsUser=0 (${setters.join(' and ')} must not set runAsUser=0)`;
};

const seccompRestricted: Check = spec => {
  const fine = (type: string | undefined) => type === 'RuntimeDefault' || type === 'Localhost';
  const pod = spec.securityContext?.seccompProfile?.type;
  const implicit = namesWhere(spec, container => container.securityContext?.seccompProfile?.type === undefined);
  const explicit = namesWhere(spec, container => {
    const type = container.securityContext?.seccompProfile?.type;
    return type !== undefined && !fine(type);
  });
  const setters = [
    ...(pod !== undefined && !fine(pod) ? ['pod'] : []),
    ...(explicit.length > 0 ? [containersNamed(explicit)] : []),
  ];
  const wanted = '"RuntimeDefault" or "Localhost"';
  if (setters.length > 0)
    return `seccompProfile (${setters.join(' and ')} must set securityContext.seccompProfile.type to ${wanted})`;
  if (implicit.length === 0 || pod !== undefined) return undefined;
  return `seccompProfile (pod or ${containersNamed(implicit)} must set securityContext.seccompProfile.type to ${wanted})`;
};

export const restrictedChecks: readonly Check[] = [
  allowPrivilegeEscalation,
  unrestrictedCapabilities,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompRestricted,
];
