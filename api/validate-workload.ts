/** Validation of ReplicaSet, StatefulSet, PodDisruptionBudget and Service beyond their metadata. */
import { deepEqual } from '#base/deep.ts';
import type { LabelSelector, PodTemplateSpec, Service, ServicePort } from './kinds/core.ts';
import type { PodDisruptionBudget } from './kinds/policy.ts';
import type { ReplicaSet, StatefulSet } from './kinds/workload.ts';
import { qualifiedNameFaults, subdomainFaults } from './label-names.ts';
import { labelSelectorMatches } from './labels.ts';
import { addressFaults, labelFaults, portNumberFaults } from './names.ts';
import { type Cause, duplicate, forbiddenField, invalidValue, notSupported, required } from './status.ts';
import {
  type Causes,
  checkImmutable,
  checkNonNegative,
  checkUnique,
  pushFaults,
  validateLabels,
  validateSelector,
} from './validate.ts';
import { checkOneOf } from './validate-container.ts';
import { validateTemplate } from './validate-pod.ts';
import { checkPort } from './validate-probe.ts';

export const validateReplicaSet = ({ spec }: ReplicaSet, old: ReplicaSet | undefined): readonly Cause[] => {
  const causes: Causes = [];
  checkNonNegative(causes, 'spec.replicas', spec.replicas);
  checkNonNegative(causes, 'spec.minReadySeconds', spec.minReadySeconds);
  validateSelected(spec.selector, spec.template, 'deployment', 'ReplicaSet', causes);
  if (old !== undefined) checkImmutable(causes, 'spec.selector', spec.selector, old.spec.selector);
  return causes;
};

/** The selector says something, and selects what the template makes. */
const validateSelected = (
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
  shownAs: string,
  kind: string,
  causes: Causes,
): void => {
  if (selector === undefined) {
    causes.push(required('spec.selector'));
  } else {
    validateSelector(selector, 'spec.selector', causes);
    const parts = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length;
    if (parts === 0) causes.push(invalidValue('spec.selector', selector, `empty selector is invalid for ${shownAs}`));
    const labels = template?.metadata?.labels ?? {};
    if (causes.length === 0 && template !== undefined && !labelSelectorMatches(selector, labels))
      causes.push(invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  }
  if (template === undefined) {
    causes.push(required('spec.template'));
    return;
  }
  validateTemplate(template, 'spec.template', causes);
  const policy = template.spec?.restartPolicy;
  if (policy !== undefined && policy !== 'Always')
    causes.push(notSupported('spec.template.spec.restartPolicy', policy, ['Always']));
  if (template.spec?.activeDeadlineSeconds !== undefined)
    causes.push(
      forbiddenField('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${kind} is not Supported`),
    );
};

export const validateStatefulSet = ({ spec }: StatefulSet, old: StatefulSet | undefined): readonly Cause[] => {
  const causes: Causes = [];
  const { podManagementPolicy, updateStrategy } = spec;
  if (!podManagementPolicy) causes.push(required('spec.podManagementPolicy'));
  else if (podManagementPolicy !== 'OrderedReady' && podManagementPolicy !== 'Parallel')
    causes.push(invalidValue('spec.podManagementPolicy', podManagementPolicy, "must be 'OrderedReady' or 'Parallel'"));
  switch (updateStrategy?.type) {
    case undefined:
      causes.push(required('spec.updateStrategy'));
      break;
    case 'OnDelete':
      if (updateStrategy.rollingUpdate !== undefined)
        causes.push(
          invalidValue(
            'spec.updateStrategy.rollingUpdate',
            updateStrategy.rollingUpdate,
            "only allowed for updateStrategy 'RollingUpdate'",
          ),
        );
      break;
    case 'RollingUpdate':
      checkNonNegative(causes, 'spec.updateStrategy.rollingUpdate.partition', updateStrategy.rollingUpdate?.partition);
      break;
    default:
      causes.push(invalidValue('spec.updateStrategy', updateStrategy, "must be 'RollingUpdate' or 'OnDelete'"));
  }
  checkNonNegative(causes, 'spec.replicas', spec.replicas);
  checkNonNegative(causes, 'spec.minReadySeconds', spec.minReadySeconds);
  checkNonNegative(causes, 'spec.ordinals.start', spec.ordinals?.start);
  validateSelected(spec.selector, spec.template, 'statefulset', 'StatefulSet', causes);
  if (old !== undefined) validateStatefulSetUpdate(spec, old.spec, causes);
  return causes;
};

const updatable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

const validateStatefulSetUpdate = (spec: StatefulSet['spec'], old: StatefulSet['spec'], causes: Causes): void => {
  const fixed = (of: StatefulSet['spec']) =>
    Object.fromEntries(Object.entries(of).filter(([name]) => !updatable.some(field => field === name)));
  if (deepEqual(fixed(spec), fixed(old))) return;
  const names = updatable.map(name => `'${name}'`);
  causes.push(
    forbiddenField(
      'spec',
      `updates to statefulset spec for fields other than ${names.slice(0, -1).join(', ')} and ${names.at(-1)} are forbidden`,
    ),
  );
};

export const validatePodDisruptionBudget = ({ spec }: PodDisruptionBudget): readonly Cause[] => {
  const causes: Causes = [];
  const { minAvailable, maxUnavailable, selector } = spec;
  const policy: string | undefined = spec.unhealthyPodEvictionPolicy;
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    causes.push(invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  checkShare(minAvailable, 'spec.minAvailable', causes);
  checkShare(maxUnavailable, 'spec.maxUnavailable', causes);
  validateSelector(selector, 'spec.selector', causes);
  if (policy !== undefined && policy !== 'IfHealthyBudget' && policy !== 'AlwaysAllow')
    causes.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget']));
  return causes;
};

const percentRule =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** A number of pods, or a percentage of them. */
const checkShare = (share: number | string | undefined, path: string, causes: Causes): void => {
  if (typeof share === 'number') checkNonNegative(causes, path, share);
  if (typeof share !== 'string') return;
  if (!/^[0-9]+%$/.test(share)) causes.push(invalidValue(path, share, percentRule));
  else if (Number(share.slice(0, -1)) > 100) causes.push(invalidValue(path, share, 'must not be greater than 100%'));
};

const serviceTypes = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

export const validateService = ({ spec }: Service): readonly Cause[] => {
  const causes: Causes = [];
  const isHeadless = spec.clusterIP === 'None';
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless && spec.type !== 'ExternalName') causes.push(required('spec.ports'));
  if (isHeadless && (spec.type === 'LoadBalancer' || spec.type === 'NodePort'))
    causes.push(invalidValue('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`));
  if (spec.type === 'ExternalName') validateExternalName(spec, causes);
  validatePorts(ports, spec.type === 'ClusterIP', causes);
  validateLabels(spec.selector, 'spec.selector', causes);
  checkOneOf(spec.sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity', causes);
  const stickySeconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (
    spec.sessionAffinity === 'ClientIP' &&
    stickySeconds !== undefined &&
    (stickySeconds <= 0 || stickySeconds > 86400)
  )
    causes.push(
      invalidValue(
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
        stickySeconds,
        'must be greater than 0 and less than 86400',
      ),
    );
  if (spec.type !== 'ExternalName' && spec.clusterIP && !isHeadless)
    pushFaults(causes, 'spec.clusterIPs[0]', spec.clusterIP, addressFaults(spec.clusterIP));
  (spec.externalIPs ?? []).forEach((address, i) => {
    pushFaults(causes, `spec.externalIPs[${i}]`, address, addressFaults(address));
  });
  checkOneOf(spec.type, serviceTypes, 'spec.type', causes);
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== 'LoadBalancer')
    causes.push(forbiddenField('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"));
  return causes;
};

const validateExternalName = (spec: Service['spec'], causes: Causes): void => {
  if ((spec.clusterIPs ?? []).length > 0)
    causes.push(forbiddenField('spec.clusterIPs', 'may not be set for ExternalName services'));
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') causes.push(required('spec.externalName'));
  else pushFaults(causes, 'spec.externalName', name, subdomainFaults(name));
};

const validatePorts = (ports: readonly ServicePort[], isInternal: boolean, causes: Causes): void => {
  const names = new Set<string>();
  const taken = new Set<string>();
  ports.forEach((port, i) => {
    const at = `spec.ports[${i}]`;
    if (!port.name) {
      if (ports.length > 1) causes.push(required(`${at}.name`));
    } else {
      pushFaults(causes, `${at}.name`, port.name, labelFaults(port.name));
      checkUnique(causes, names, `${at}.name`, port.name);
    }
    pushFaults(causes, `${at}.port`, port.port ?? 0, portNumberFaults(port.port ?? 0));
    checkOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${at}.protocol`, causes);
    checkPort(port.targetPort, `${at}.targetPort`, causes);
    if (port.appProtocol !== undefined)
      pushFaults(causes, `${at}.appProtocol`, port.appProtocol, qualifiedNameFaults(port.appProtocol));
    if (isInternal && port.nodePort)
      causes.push(forbiddenField(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    for (const [field, number] of [
      ['nodePort', port.nodePort],
      ['port', port.port],
    ] as const) {
      if (!number) continue;
      const key = `${field} ${port.protocol} ${number}`;
      if (taken.has(key))
        causes.push(
          field === 'port'
            ? duplicate(at, { protocol: port.protocol, port: number })
            : duplicate(`${at}.nodePort`, number),
        );
      taken.add(key);
    }
  });
};
