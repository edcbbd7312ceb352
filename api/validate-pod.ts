/** Validation of pods and pod templates as a whole; its parts are in the validate-* files beside it. */
import type { Pod, PodDNSConfig, PodSpec, PodTemplateSpec } from './kinds/core.ts';
import { qualifiedNameFaults, subdomainFaults } from './label-names.ts';
import { addressFaults, type Faults, inclusiveRange, labelFaults } from './names.ts';
import { type Cause, duplicate, forbiddenField, invalidValue, notSupported, required, tooLong } from './status.ts';
import { type Causes, pushFaults, validateAnnotations, validateLabels } from './validate.ts';
import {
  checkOneOf,
  type PodContext,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './validate-container.ts';
import { validatePodUpdate } from './validate-pod-update.ts';
import { validateOverhead, validatePodResources } from './validate-resources.ts';
import { validateAffinity, validateGates, validateSpread, validateTolerations } from './validate-scheduling.ts';
import { validatePodSecurityContext } from './validate-security.ts';
import { validateVolumes } from './validate-volume.ts';

/** All faults of a pod; with `old`, also of the change. An unchanged spec is not looked at again. */
export const validatePod = (pod: Pod, old: Pod | undefined): readonly Cause[] => {
  const causes: Causes = [];
  if (old === undefined) {
    validatePodSpec(pod.spec, 'spec', true, causes);
    validateAtCreate(pod, causes);
  } else {
    validatePodUpdate(pod, old, causes, () => validatePodSpec(pod.spec, 'spec', true, causes));
  }
  return causes;
};

/** Faults of a template, such as that of a ReplicaSet. */
export const validateTemplate = (template: PodTemplateSpec, path: string, causes: Causes): void => {
  validateLabels(template.metadata?.labels, `${path}.labels`, causes);
  validateAnnotations(template.metadata?.annotations, `${path}.annotations`, causes);
  const spec = template.spec ?? { containers: [] };
  validatePodSpec(spec, `${path}.spec`, false, causes);
  if ((spec.ephemeralContainers ?? []).length > 0)
    causes.push(forbiddenField(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
};

const validateAtCreate = ({ spec }: Pod, causes: Causes): void => {
  if ((spec.ephemeralContainers ?? []).length > 0)
    causes.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'));
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0)
    causes.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
};

const validatePodSpec = (given: PodSpec, path: string, isPod: boolean, causes: Causes): void => {
  const spec = given.containers === undefined ? { ...given, containers: [] } : given;
  if (spec.terminationGracePeriodSeconds === undefined) causes.push(required(`${path}.terminationGracePeriodSeconds`));
  const volumes = validateVolumes(spec.volumes ?? [], `${path}.volumes`, causes);
  const claims = validateClaims(spec, `${path}.resourceClaims`, causes);
  const context: PodContext = { spec, volumes, claims, isPod };
  validateContainers(context, `${path}.containers`, causes);
  if (spec.initContainers !== undefined) validateInitContainers(context, `${path}.initContainers`, causes);
  if (spec.ephemeralContainers !== undefined)
    validateEphemeralContainers(context, `${path}.ephemeralContainers`, causes);
  validatePodResources(spec, claims, path, causes);
  checkHostNetworkPorts(spec, path, isPod, causes);
  checkOneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`, causes);
  const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
  checkOneOf(spec.dnsPolicy, dnsPolicies, `${path}.dnsPolicy`, causes);
  validateLabels(spec.nodeSelector, `${path}.nodeSelector`, causes);
  validatePodSecurityContext(spec, `${path}.securityContext`, causes);
  validateAffinity(spec.affinity, `${path}.affinity`, causes);
  validateDNS(spec.dnsConfig, spec.dnsPolicy, `${path}.dnsConfig`, causes);
  (spec.readinessGates ?? []).forEach(({ conditionType }, i) => {
    const at = `${path}.readinessGates[${i}].conditionType`;
    pushFaults(causes, at, conditionType ?? '', qualifiedNameFaults(conditionType ?? ''));
  });
  validateGates(spec.schedulingGates ?? [], `${path}.schedulingGates`, causes);
  validateSpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`, causes);
  if (spec.hostUsers === false) checkHostUsers(spec, path, causes);
  if (spec.hostnameOverride !== undefined) checkHostnameOverride(spec, spec.hostnameOverride, path, causes);
  checkNames(spec, path, causes);
  validateTolerations(spec.tolerations ?? [], `${path}.tolerations`, causes);
  validateHostAliases(spec, `${path}.hostAliases`, causes);
  validateRest(spec, path, causes);
};

const validateClaims = (spec: PodSpec, path: string, causes: Causes): ReadonlySet<string> => {
  const names = new Set<string>();
  (spec.resourceClaims ?? []).forEach((claim, i) => {
    const at = `${path}[${i}]`;
    if (!claim.name) causes.push(required(`${at}.name`));
    else if (names.has(claim.name)) causes.push(duplicate(`${at}.name`, claim.name));
    else pushFaults(causes, `${at}.name`, claim.name, labelFaults(claim.name));
    if (claim.name) names.add(claim.name);
    const { resourceClaimName, resourceClaimTemplateName } = claim;
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined)
      causes.push(
        invalidValue(at, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'),
      );
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
      causes.push(invalidValue(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
  });
  return names;
};

const checkHostNetworkPorts = (spec: PodSpec, path: string, isPod: boolean, causes: Causes): void => {
  if (!spec.hostNetwork) return;
  spec.containers.forEach((container, c) => {
    (container.ports ?? []).forEach((port, p) => {
      const hostPort = port.hostPort ?? 0;
      if ((isPod || hostPort !== 0) && hostPort !== port.containerPort)
        causes.push(
          invalidValue(
            `${path}.containers[${c}].ports[${p}].hostPort`,
            hostPort,
            'must match `containerPort` when `hostNetwork` is true',
          ),
        );
    });
  });
};

const maxNameservers = 3;
const maxSearches = 32;
const maxSearchCharacters = 2048;

const validateDNS = (
  config: PodDNSConfig | undefined,
  policy: string | undefined,
  path: string,
  causes: Causes,
): void => {
  const nameservers = config?.nameservers ?? [];
  if (policy === 'None' && nameservers.length === 0) {
    causes.push(
      config === undefined
        ? required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')
        : required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
    );
    return;
  }
  if (config === undefined) return;
  const searches = config.searches ?? [];
  if (nameservers.length > maxNameservers)
    causes.push(
      invalidValue(`${path}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`),
    );
  nameservers.forEach((server, i) => {
    pushFaults(causes, `${path}.nameservers[${i}]`, server, addressFaults(server));
  });
  if (searches.length > maxSearches)
    causes.push(invalidValue(`${path}.searches`, searches, `must not have more than ${maxSearches} search paths`));
  if (searches.join(' ').length > maxSearchCharacters)
    causes.push(
      invalidValue(
        `${path}.searches`,
        searches,
        `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`,
      ),
    );
  searches.forEach((search, i) => {
    if (search !== '.') pushFaults(causes, `${path}.searches[${i}]`, search, searchFaults(search));
  });
  (config.options ?? []).forEach((option, i) => {
    if (!option.name) causes.push(required(`${path}.options[${i}]`, 'must not be empty'));
  });
};

const search = /^[a-z0-9_]([-_a-z0-9]*[a-z0-9])?(\.[a-z0-9_]([-_a-z0-9]*[a-z0-9])?)*$/;
const searchFaults = (text: string): Faults => {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return search.test(name) && name.length <= 253 ? [] : subdomainFaults(name);
};

const checkHostUsers = (spec: PodSpec, path: string, causes: Causes): void => {
  const why = 'when `hostUsers` is false';
  if (spec.hostNetwork) causes.push(forbiddenField(`${path}.hostNetwork`, why));
  if (spec.hostPID) causes.push(forbiddenField(`${path}.HostPID`, why));
  if (spec.hostIPC) causes.push(forbiddenField(`${path}.HostIPC`, why));
};

const checkHostnameOverride = (spec: PodSpec, name: string, path: string, causes: Causes): void => {
  const at = `${path}.hostnameOverride`;
  if (spec.setHostnameAsFQDN) causes.push(forbiddenField(at, 'may not be specified when setHostnameAsFQDN is true'));
  if (spec.hostNetwork) causes.push(forbiddenField(at, 'may not be specified when hostNetwork is true'));
  if (name.length > 64) causes.push(tooLong(at, 64));
  pushFaults(causes, at, name, subdomainFaults(name));
};

const checkNames = (spec: PodSpec, path: string, causes: Causes): void => {
  const rules = [
    ['serviceAccountName', subdomainFaults],
    ['nodeName', subdomainFaults],
    ['hostname', labelFaults],
    ['subdomain', labelFaults],
    ['priorityClassName', subdomainFaults],
    ['runtimeClassName', subdomainFaults],
  ] as const;
  for (const [name, rule] of rules) {
    const value = spec[name];
    if (value) pushFaults(causes, `${path}.${name}`, value, rule(value));
  }
};

const validateHostAliases = (spec: PodSpec, path: string, causes: Causes): void =>
  (spec.hostAliases ?? []).forEach((alias, i) => {
    pushFaults(causes, `${path}[${i}].ip`, alias.ip ?? '', addressFaults(alias.ip ?? ''));
    (alias.hostnames ?? []).forEach((name, n) => {
      pushFaults(causes, `${path}[${i}].hostnames[${n}]`, name, subdomainFaults(name));
    });
  });

const maxInt32 = 2147483647;

const validateRest = (spec: PodSpec, path: string, causes: Causes): void => {
  const { activeDeadlineSeconds: deadline, preemptionPolicy, overhead, os } = spec;
  if (deadline !== undefined && (deadline < 1 || deadline > maxInt32))
    causes.push(invalidValue(`${path}.activeDeadlineSeconds`, deadline, inclusiveRange(1, maxInt32)));
  if (preemptionPolicy !== undefined)
    checkOneOf(preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${path}.preemptionPolicy`, causes);
  if (overhead !== undefined) validateOverhead(overhead, `${path}.overhead`, causes);
  if (os !== undefined) {
    if (!os.name) causes.push(required(`${path}.os.name`));
    else if (os.name !== 'linux' && os.name !== 'windows')
      causes.push(notSupported(`${path}.os`, os.name, ['linux', 'windows']));
  }
  if (spec.serviceAccountName) return;
  (spec.volumes ?? []).forEach((volume, v) => {
    (volume.projected?.sources ?? []).forEach((source, s) => {
      if (source.serviceAccountToken !== undefined)
        causes.push(
          forbiddenField(
            `${path}.volumes[${v}].projected.sources[${s}].serviceAccountToken`,
            'must not be specified when serviceAccountName is not set',
          ),
        );
    });
  });
};
