/** Validation of containers: app containers, init containers and sidecars, ephemeral ones. Probes and hooks are in validate-probe.ts. */
import type { Container, ContainerPort, EphemeralContainer, PodSpec } from './kinds/core.ts';
import { labelFaults, portNameFaults, portNumberFaults } from './names.ts';
import { isSidecar } from './resources.ts';
import { duplicate, forbiddenField, invalidValue, notSupported, required } from './status.ts';
import { type Causes, checkName, checkUnique, notFoundValue, pushFaults, tooMany } from './validate.ts';
import { validateEnv, validateEnvFrom } from './validate-env.ts';
import { validateLive } from './validate-probe.ts';
import { validateContainerResources } from './validate-resources.ts';
import { validateSecurityContext } from './validate-security.ts';
import { type Volumes, validateMounts } from './validate-volume.ts';

/** What the containers of a pod are checked against. */
export interface PodContext {
  readonly spec: PodSpec;
  readonly volumes: Volumes;
  readonly claims: ReadonlySet<string>;
  /** False for templates: what only pods must keep is not asked there. */
  readonly isPod: boolean;
}

export const validateContainers = (context: PodContext, path: string, causes: Causes): void => {
  const { containers } = context.spec;
  if (containers.length === 0) {
    causes.push(required(path));
    return;
  }
  const names = new Set<string>();
  containers.forEach((container, i) => {
    const at = `${path}[${i}]`;
    validateCommon(container, context, at, causes);
    checkUnique(causes, names, `${at}.name`, container.name);
    validateLive(container, context.spec, at, causes);
    validateRestartPolicy(container, at, causes);
  });
  checkHostPorts(containers, path, causes);
};

export const validateInitContainers = (context: PodContext, path: string, causes: Causes): void => {
  const names = new Set(context.spec.containers.map(container => container.name));
  (context.spec.initContainers ?? []).forEach((container, i) => {
    const at = `${path}[${i}]`;
    validateCommon(container, context, at, causes);
    validateInitRestartPolicy(container, at, causes);
    checkUnique(causes, names, `${at}.name`, container.name);
    checkHostPorts([container], path, causes);
    if (isSidecar(container)) {
      validateLive(container, context.spec, at, causes);
      return;
    }
    for (const name of liveFields)
      if (container[name] !== undefined)
        causes.push(forbiddenField(`${at}.${name}`, 'may not be set for init containers without restartPolicy=Always'));
    (container.resizePolicy ?? []).forEach((policy, p) => {
      if (policy.restartPolicy === 'RestartContainer')
        causes.push(
          invalidValue(
            `${at}.resizePolicy[${p}].restartPolicy`,
            policy.restartPolicy,
            "must not be set to 'RestartContainer' for non-sidecar initContainers",
          ),
        );
    });
  });
};

const liveFields = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const ephemeralForbidden = [
  'ports',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

export const validateEphemeralContainers = (context: PodContext, path: string, causes: Causes): void => {
  const others = new Set(
    [...context.spec.containers, ...(context.spec.initContainers ?? [])].map(container => container.name),
  );
  const names = new Set(others);
  const forbid = (field: string) => causes.push(forbiddenField(field, 'cannot be set for an Ephemeral Container'));
  (context.spec.ephemeralContainers ?? []).forEach((container: EphemeralContainer, i) => {
    const at = `${path}[${i}]`;
    validateCommon(container, context, at, causes);
    checkUnique(causes, names, `${at}.name`, container.name);
    const target = container.targetContainerName;
    if (target && !others.has(target)) causes.push(notFoundValue(`${at}.targetContainerName`, target));
    for (const name of ephemeralForbidden) if (container[name] !== undefined) forbid(`${at}.${name}`);
    if (Object.keys(container.resources ?? {}).length > 0) forbid(`${at}.resources`);
    (container.volumeMounts ?? []).forEach((mount, m) => {
      if (mount.subPath) forbid(`${at}.volumeMounts[${m}].subPath`);
      if (mount.subPathExpr) forbid(`${at}.volumeMounts[${m}].subPathExpr`);
    });
  });
};

const messagePolicies = ['File', 'FallbackToLogsOnError'];
const pullPolicies = ['Always', 'IfNotPresent', 'Never'];

const validateCommon = (container: Container, context: PodContext, path: string, causes: Causes): void => {
  checkName(causes, `${path}.name`, container.name, labelFaults);
  const image = container.image ?? '';
  if (image === '') causes.push(required(`${path}.image`));
  checkOneOf(container.terminationMessagePolicy, messagePolicies, `${path}.terminationMessagePolicy`, causes);
  if (container.ports !== undefined) validatePorts(container.ports, `${path}.ports`, causes);
  if (container.env !== undefined) validateEnv(container.env, `${path}.env`, causes);
  if (container.envFrom !== undefined) validateEnvFrom(container.envFrom, `${path}.envFrom`, causes);
  if (container.volumeMounts !== undefined || container.volumeDevices !== undefined)
    validateMounts(container, context.volumes, path, causes);
  checkOneOf(container.imagePullPolicy, pullPolicies, `${path}.imagePullPolicy`, causes);
  validateContainerResources(container.resources, context.claims, `${path}.resources`, causes);
  if (container.resizePolicy !== undefined)
    validateResizePolicy(container, context.spec, `${path}.resizePolicy`, causes);
  if (container.securityContext !== undefined)
    validateSecurityContext(container.securityContext, context.spec, `${path}.securityContext`, causes);
  if (context.isPod && image !== image.trim())
    causes.push(invalidValue(`${path}.image`, image, 'must not have leading or trailing whitespace'));
};

/** Required when empty, NotSupported when outside the set. */
export const checkOneOf = (
  value: string | undefined,
  supported: readonly string[],
  path: string,
  causes: Causes,
): void => {
  if (value === undefined || value === '') causes.push(required(path));
  else if (!supported.includes(value)) causes.push(notSupported(path, value, supported));
};

const protocols = ['SCTP', 'TCP', 'UDP'];

const validatePorts = (ports: readonly ContainerPort[], path: string, causes: Causes): void => {
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const at = `${path}[${i}]`;
    if (port.name) {
      const faults = portNameFaults(port.name);
      pushFaults(causes, `${at}.name`, port.name, faults);
      if (faults.length === 0 && names.has(port.name)) causes.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) causes.push(required(`${at}.containerPort`));
    else pushFaults(causes, `${at}.containerPort`, port.containerPort, portNumberFaults(port.containerPort));
    if (port.hostPort) pushFaults(causes, `${at}.hostPort`, port.hostPort, portNumberFaults(port.hostPort));
    checkOneOf(port.protocol, protocols, `${at}.protocol`, causes);
  });
};

const checkHostPorts = (containers: readonly Container[], path: string, causes: Causes): void => {
  const taken = new Set<string>();
  containers.forEach((container, c) => {
    (container.ports ?? []).forEach((port, p) => {
      if (!port.hostPort) return;
      const key = `${port.protocol ?? 'TCP'}/${port.hostIP ?? ''}/${port.hostPort}`;
      checkUnique(causes, taken, `${path}[${c}].ports[${p}].hostPort`, key);
    });
  });
};

const validateResizePolicy = (container: Container, spec: PodSpec, path: string, causes: Causes): void => {
  const seen = new Set<string>();
  (container.resizePolicy ?? []).forEach((policy, i) => {
    checkUnique(causes, seen, `${path}[${i}]`, policy.resourceName);
    checkOneOf(policy.resourceName, ['cpu', 'memory'], path, causes);
    checkOneOf(policy.restartPolicy, ['NotRequired', 'RestartContainer'], path, causes);
    if (spec.restartPolicy === 'Never' && policy.restartPolicy !== 'NotRequired')
      causes.push(
        invalidValue(path, policy.restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"),
      );
  });
};

const restartPolicies = ['Always', 'Never', 'OnFailure'];

const validateRestartPolicy = (container: Container, path: string, causes: Causes): void => {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  if (restartPolicy === undefined) {
    if (rules.length > 0)
      causes.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  } else if (!restartPolicies.includes(restartPolicy)) {
    causes.push(notSupported(`${path}.restartPolicy`, restartPolicy, restartPolicies));
  }
  if (rules.length > 20) causes.push(tooMany(`${path}.restartPolicyRules`, rules.length, 20));
  rules.forEach((rule, i) => {
    const at = `${path}.restartPolicyRules[${i}]`;
    if (rule.action !== 'Restart') causes.push(notSupported(`${at}.action`, rule.action ?? '', ['Restart']));
    if (rule.exitCodes === undefined) {
      causes.push(required(`${at}.exitCodes`, 'must be specified'));
      return;
    }
    const { operator, values = [] } = rule.exitCodes;
    if (operator !== 'In' && operator !== 'NotIn')
      causes.push(notSupported(`${at}.exitCodes.operator`, operator ?? '', ['In', 'NotIn']));
    if (values.length > 255) causes.push(tooMany(`${at}.exitCodes.values`, values.length, 255));
  });
};

const validateInitRestartPolicy = (container: Container, path: string, causes: Causes): void => {
  if (!isSidecar(container)) validateRestartPolicy(container, path, causes);
  else if ((container.restartPolicyRules ?? []).length > 0)
    causes.push(
      forbiddenField(
        `${path}.restartPolicyRules`,
        'restartPolicyRules are not allowed for init containers with restart policy Always',
      ),
    );
};
