/** Validation of environment variables and of the references to pod fields and resources that they share with volumes. */
import type { EnvFromSource, EnvVar, EnvVarSource } from './kinds/core.ts';
import { qualifiedNameFaults, subdomainFaults } from './label-names.ts';
import { asPrefix, backstepFaults, configKeyFaults, envNameFaults, labelFaults } from './names.ts';
import { canonicalQuantity, isZero } from './quantity.ts';
import { invalidValue, notSupported, required } from './status.ts';
import { type Causes, checkName, pushFaults } from './validate.ts';

export const validateEnv = (env: readonly EnvVar[], path: string, causes: Causes): void =>
  env.forEach((variable, i) => {
    const at = `${path}[${i}]`;
    checkName(causes, `${at}.name`, variable.name, envNameFaults);
    if (variable.valueFrom !== undefined) validateSource(variable, variable.valueFrom, `${at}.valueFrom`, causes);
  });

export const validateEnvFrom = (sources: readonly EnvFromSource[], path: string, causes: Causes): void =>
  sources.forEach((source, i) => {
    const at = `${path}[${i}]`;
    if (source.prefix) pushFaults(causes, `${at}.prefix`, source.prefix, envNameFaults(source.prefix));
    const present = (['configMapRef', 'secretRef'] as const).filter(name => source[name] !== undefined);
    for (const name of present) checkName(causes, `${at}.${name}.name`, source[name]?.name, asPrefix(subdomainFaults));
    if (present.length === 0) causes.push(invalidValue(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (present.length > 1)
      causes.push(invalidValue(path, '', 'may not have more than one field specified at a time'));
  });

const validateSource = (variable: EnvVar, source: EnvVarSource, path: string, causes: Causes): void => {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (fieldRef !== undefined) validateFieldRef(fieldRef, envFieldPaths, `${path}.fieldRef`, causes);
  if (resourceFieldRef !== undefined)
    validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, false, causes);
  if (configMapKeyRef !== undefined) validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`, causes);
  if (secretKeyRef !== undefined) validateKeyRef(secretKeyRef, `${path}.secretKeyRef`, causes);
  if (fileKeyRef !== undefined) {
    checkName(causes, `${path}.fileKeyRef.key`, fileKeyRef.key, envNameFaults);
    checkName(causes, `${path}.fileKeyRef.volumeName`, fileKeyRef.volumeName, labelFaults);
    checkName(causes, `${path}.fileKeyRef.path`, fileKeyRef.path, backstepFaults);
  }
  if (sources === 0)
    causes.push(
      invalidValue(
        path,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    );
  else if (variable.value) causes.push(invalidValue(path, '', 'may not be specified when `value` is not empty'));
  else if (sources > 1) causes.push(invalidValue(path, '', 'may not have more than one field specified at a time'));
};

const validateKeyRef = (ref: { name?: string; key: string }, path: string, causes: Causes): void => {
  pushFaults(causes, `${path}.name`, ref.name ?? '', subdomainFaults(ref.name ?? ''));
  checkName(causes, `${path}.key`, ref.key, configKeyFaults);
};

/** Fields of the pod that a variable may show, in the order upstream lists them. */
const envFieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
] as const;

/** Fields of the pod that a file may show. */
export const volumeFieldPaths = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
] as const;

// What the downward API knows at all; a path outside cannot be converted, one inside may still not be allowed here.
const knownFieldPaths: ReadonlySet<string> = new Set([...envFieldPaths, ...volumeFieldPaths, 'spec.restartPolicy']);

export const validateFieldRef = (
  ref: { fieldPath: string; apiVersion?: string },
  allowed: readonly string[],
  path: string,
  causes: Causes,
): void => {
  const { fieldPath } = ref;
  if (!ref.apiVersion || !fieldPath) {
    causes.push(required(`${path}.${ref.apiVersion ? 'fieldPath' : 'apiVersion'}`));
    return;
  }
  const subscripted = /^(.*)\['(.*)'\]$/.exec(fieldPath);
  if (subscripted !== null) {
    const [, base = '', key = ''] = subscripted;
    if (base === 'metadata.annotations') pushFaults(causes, path, key, qualifiedNameFaults(key.toLowerCase()));
    else if (base === 'metadata.labels') pushFaults(causes, path, key, qualifiedNameFaults(key));
    else causes.push(invalidValue(path, base, 'does not support subscript'));
  } else if (ref.apiVersion !== 'v1' || !knownFieldPaths.has(fieldPath)) {
    const fault =
      ref.apiVersion === 'v1'
        ? `field label not supported: ${fieldPath}`
        : `unsupported pod version: ${ref.apiVersion}`;
    causes.push(invalidValue(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${fault}`));
  } else if (!allowed.includes(fieldPath)) {
    causes.push(notSupported(`${path}.fieldPath`, fieldPath, allowed));
  }
};

const resourceFields = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

export const validateResourceFieldRef = (
  ref: { resource: string; containerName?: string; divisor?: string },
  path: string,
  inVolume: boolean,
  causes: Causes,
): void => {
  const { resource, containerName, divisor } = ref;
  const isHuge = /^(requests|limits)\.hugepages-/.test(resource ?? '');
  if (inVolume && !containerName) causes.push(required(`${path}.containerName`));
  else if (!resource) causes.push(required(`${path}.resource`));
  else if (!resourceFields.includes(resource) && !isHuge)
    causes.push(notSupported(`${path}.resource`, resource, resourceFields));
  if (divisor === undefined || isZero(divisor) || !resource) return;
  const unit = canonicalQuantity(divisor);
  const name = resource.slice(resource.indexOf('.') + 1);
  if (name === 'cpu') {
    if (unit !== '1' && unit !== '1m')
      causes.push(
        invalidValue(`${path}.divisor`, resource, "only divisor's values 1m and 1 are supported with the cpu resource"),
      );
  } else if ((isHuge || resourceFields.includes(resource)) && !byteDivisors.includes(unit)) {
    const shown = isHuge ? 'hugepages' : name === 'memory' ? 'memory' : 'local ephemeral storage';
    causes.push(
      invalidValue(
        `${path}.divisor`,
        resource,
        `only divisor's values ${byteDivisors.join(', ')} are supported with the ${shown} resource`,
      ),
    );
  }
};
