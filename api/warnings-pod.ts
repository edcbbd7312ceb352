/**
 * What a pod or pod template asks for that is allowed but hardly meant: each with a warning to its author at create, in the
 * words of upstream's pkg/api/pod/warnings.go. Fields that Berth itself does not act on are in unsupported.ts.
 */

import type {
  NodeSelectorTerm,
  PodAffinityTerm,
  PreferredSchedulingTerm,
  WeightedPodAffinityTerm,
} from './kinds/affinity.ts';
import type { Container, ContainerPort } from './kinds/container.ts';
import type { Pod, PodSpec, PodTemplateSpec } from './kinds/pod.ts';
import { labelValueFaults } from './label-names.ts';
import { labelFaults } from './names.ts';
import { compareQuantities, wholeValue } from './quantity.ts';

export const warningsOfPod = ({ metadata, spec }: Pod): readonly string[] => [
  ...warningOfName(metadata.name, "this is used in the Pod's hostname"),
  ...warningsOf(spec, metadata.annotations ?? {}, ''),
];

/** `name` is that of the object that makes the pods. */
export const warningsOfTemplate = (name: string, template: PodTemplateSpec): readonly string[] => [
  ...warningOfName(name, 'this is used in Pod names and hostnames'),
  ...(template.spec === undefined
    ? []
    : warningsOf(template.spec, template.metadata?.annotations ?? {}, 'spec.template.')),
];

const warningOfName = (name: string, use: string): readonly string[] => {
  const faults = labelFaults(name);
  if (faults.length === 0) return [];
  return [
    `metadata.name: ${use}, which can result in surprising behavior; a DNS label is recommended: [${faults.join(' ')}]`,
  ];
};

type Annotations = Readonly<Record<string, string>>;
type Warn = (field: string, text: string) => void;

/** `prefix` is where the pod stands in the object: empty, or `spec.template.`. */
const warningsOf = (spec: PodSpec, annotations: Annotations, prefix: string): readonly string[] => {
  const warnings: string[] = [];
  const warn: Warn = (field, text) => void warnings.push(`${prefix}${field}: ${text}`);
  warnOfNodeLabels(spec, warn);
  warnOfSpreading(spec, warn);
  warnOfAnnotations(spec, annotations, warn);
  warnOfLists(spec, warn);
  warnOfAmounts(spec.overhead, 'spec.overhead', warn);
  for (const { container, path } of containersOf(spec)) {
    warnOfAmounts(container.resources?.limits, `${path}.resources.limits`, warn);
    warnOfAmounts(container.resources?.requests, `${path}.resources.requests`, warn);
    warnOfVariables(container, path, warn);
  }
  warnOfPorts(spec, prefix, warn);
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    warn('spec.terminationGracePeriodSeconds', 'must be >= 0; negative values are invalid and will be treated as 1');
  warnOfAffinity(spec, warn);
  return warnings;
};

interface Placed {
  readonly container: Pick<Container, 'name' | 'env' | 'ports' | 'resources' | 'securityContext'>;
  readonly path: string;
}

const containersOf = (spec: PodSpec): readonly Placed[] =>
  (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap(list =>
    (spec[list] ?? []).map((container, i) => ({ container, path: `spec.${list}[${i}]` })),
  );

const deprecatedNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
};
const deprecationOf = (label: string): string | undefined =>
  Object.hasOwn(deprecatedNodeLabels, label) ? deprecatedNodeLabels[label] : undefined;

const warnOfNodeLabels = ({ nodeSelector = {}, affinity }: PodSpec, warn: Warn): void => {
  for (const label of Object.keys(nodeSelector)) {
    const text = deprecationOf(label);
    if (text !== undefined) warn(`spec.nodeSelector[${label}]`, text);
  }
  const path = 'spec.affinity.nodeAffinity';
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const [i, term] of required.entries())
    warnOfTerm(term, `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`, false, warn);
  const preferred = affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  for (const [i, { preference }] of (preferred as readonly Partial<PreferredSchedulingTerm>[]).entries())
    warnOfTerm(preference, `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`, true, warn);
};

/** Values of preferred terms are not validated, so the ones that no label can have are warned about. */
const warnOfTerm = (term: NodeSelectorTerm | undefined, path: string, checksValues: boolean, warn: Warn): void => {
  for (const [i, { key, values = [] }] of (term?.matchExpressions ?? []).entries()) {
    const text = deprecationOf(key);
    if (text !== undefined) warn(`${path}.matchExpressions[${i}].key`, `${key} is ${text}`);
    if (!checksValues) continue;
    for (const [v, value] of values.entries())
      for (const fault of labelValueFaults(value))
        warn(`${path}.matchExpressions[${i}].values[${v}]`, `${value} is invalid, ${fault}`);
  }
};

const matchesNothing = 'a null labelSelector results in matching no pod';

const warnOfSpreading = (spec: PodSpec, warn: Warn): void => {
  for (const [i, { topologyKey, labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    const path = `spec.topologySpreadConstraints[${i}]`;
    const text = deprecationOf(topologyKey);
    if (text !== undefined) warn(`${path}.topologyKey`, `${topologyKey} is ${text}`);
    if (labelSelector === undefined) warn(`${path}.labelSelector`, matchesNothing);
  }
};

const warnOfAffinity = ({ affinity }: PodSpec, warn: Warn): void => {
  const check = (terms: readonly PodAffinityTerm[] = [], path: string, inTerm: string): void => {
    for (const [i, term] of terms.entries())
      if (term.labelSelector === undefined) warn(`${path}[${i}]${inTerm}.labelSelector`, matchesNothing);
  };
  const terms = (weighted: readonly WeightedPodAffinityTerm[] = []) => weighted.map(one => one.podAffinityTerm);
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    const path = `spec.affinity.${kind}`;
    const one = affinity?.[kind];
    check(
      one?.requiredDuringSchedulingIgnoredDuringExecution,
      `${path}.requiredDuringSchedulingIgnoredDuringExecution`,
      '',
    );
    check(
      terms(one?.preferredDuringSchedulingIgnoredDuringExecution),
      `${path}.preferredDuringSchedulingIgnoredDuringExecution`,
      '.podAffinityTerm',
    );
  }
};

const deadAnnotations: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};
const deadSeccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead';
export const appArmorAnnotationPrefix = 'container.apparmor.security.beta.kubernetes.io/';

const warnOfAnnotations = (spec: PodSpec, annotations: Annotations, warn: Warn): void => {
  const check = (key: string, text: string): void => {
    if (annotations[key] !== undefined) warn(`metadata.annotations[${key}]`, text);
  };
  for (const [key, text] of Object.entries(deadAnnotations)) check(key, text);
  if (spec.securityContext?.seccompProfile === undefined)
    check('seccomp.security.alpha.kubernetes.io/pod', deadSeccomp);
  for (const { container } of containersOf(spec)) {
    if (container.securityContext?.seccompProfile === undefined)
      check(`container.seccomp.security.alpha.kubernetes.io/${container.name}`, deadSeccomp);
    check(appArmorAnnotationPrefix + container.name, 'deprecated since v1.30; use the "appArmorProfile" field instead');
  }
};

const warnOfLists = ({ hostAliases = [], imagePullSecrets = [] }: PodSpec, warn: Warn): void => {
  const ips = new Set<string>();
  for (const [i, { ip }] of hostAliases.entries()) {
    if (ips.has(ip)) warn(`spec.hostAliases[${i}].ip`, `duplicate ip ${JSON.stringify(ip)}`);
    ips.add(ip);
  }
  const names = new Set<string>();
  for (const [i, { name = '' }] of imagePullSecrets.entries()) {
    if (names.has(name)) warn(`spec.imagePullSecrets[${i}].name`, `duplicate name ${JSON.stringify(name)}`);
    names.add(name);
    if (name === '') warn(`spec.imagePullSecrets[${i}].name`, 'invalid empty name ""');
  }
};

const warnOfAmounts = (amounts: Readonly<Record<string, string>> | undefined, path: string, warn: Warn): void => {
  for (const name of ['memory', 'ephemeral-storage']) {
    const amount = amounts?.[name];
    if (amount !== undefined && isFractional(amount))
      warn(`${path}[${name}]`, `fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`);
  }
};

const isFractional = (amount: string): boolean => compareQuantities(amount, String(wholeValue(amount))) !== 0;

const warnOfVariables = ({ env = [] }: Placed['container'], path: string, warn: Warn): void => {
  const seen = new Set<string>();
  for (const [i, { name, value = '', valueFrom }] of env.entries()) {
    const reference = `$(${name})`;
    const extends_ = valueFrom === undefined && value !== reference && value.includes(reference);
    if (seen.has(name) && !extends_)
      warn(
        `${path}.env[${i}]`,
        `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
      );
    seen.add(name);
  }
};

const warnOfPorts = (spec: PodSpec, prefix: string, warn: Warn): void => {
  const known = new Map<string, { readonly field: string; readonly port: ContainerPort }[]>();
  for (const { container, path } of containersOf(spec))
    for (const [i, port] of (container.ports ?? []).entries()) {
      const field = `${path}.ports[${i}]`;
      if (port.hostIP && !port.hostPort) warn(field, `hostIP set without hostPort: ${goPort(port)}`);
      const key = `${port.containerPort}/${port.protocol ?? 'TCP'}`;
      const others = known.get(key) ?? [];
      for (const other of others) {
        const clash = clashOf(port, other.port);
        if (clash !== undefined) warn(field, `${clash} port definition with ${prefix}${other.field}`);
      }
      known.set(key, [...others, { field, port }]);
    }
};

/** How two definitions of the same container port go together; undefined: well. */
const clashOf = (a: ContainerPort, b: ContainerPort): string | undefined => {
  const [hostA, hostB] = [a.hostPort ?? 0, b.hostPort ?? 0];
  const [ipA, ipB] = [a.hostIP ?? '', b.hostIP ?? ''];
  if (ipA === ipB && hostA === hostB) return 'duplicate';
  if (hostA === 0 || hostB === 0) return 'overlapping';
  return hostA === hostB && (ipA === '') !== (ipB === '') ? 'dangerously ambiguous' : undefined;
};

/** As Go prints the struct. */
const goPort = ({ name = '', hostPort = 0, containerPort, protocol = 'TCP', hostIP = '' }: ContainerPort): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
