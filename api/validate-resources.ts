/** Validation of requests and limits (SEMANTICS A.5, B.3): names, amounts, and how requests relate to limits. */
import type { Container, Pod, PodSpec, ResourceRequirements } from './kinds/core.ts';
import { qualifiedNameFaults } from './label-names.ts';
import { labelFaults } from './names.ts';
import { compareQuantities, milliValue, wholeValue } from './quantity.ts';
import {
  aggregateContainerLimits,
  aggregateContainerRequests,
  isHugePages,
  isPodLevelResource,
  type ResourceList,
} from './resources.ts';
import { type Cause, duplicate, forbiddenField, invalidValue, notSupported, required } from './status.ts';
import { type Causes, mustNotBeNegative, notFoundValue, pushFaults } from './validate.ts';

type CheckResourceName = (name: string, path: string, causes: Causes) => void;

/** Requests and limits of a container; `claims` are the names in spec.resourceClaims. */
export const validateContainerResources = (
  resources: ResourceRequirements | undefined,
  claims: ReadonlySet<string>,
  path: string,
  causes: Causes,
): void => {
  if (resources !== undefined) validateRequirements(resources, checkContainerResource, claims, path, causes);
};

/** Pod overhead: a list of amounts under the rules for container limits. */
export const validateOverhead = (overhead: ResourceList, path: string, causes: Causes): void =>
  validateRequirements({ limits: overhead }, checkContainerResource, new Set(), path, causes);

/** `spec.resources`, and that the containers fit into it. */
export const validatePodResources = (
  spec: PodSpec,
  claims: ReadonlySet<string>,
  path: string,
  causes: Causes,
): void => {
  const { resources } = spec;
  if (resources === undefined) return;
  const at = `${path}.resources`;
  if (spec.os?.name === 'windows') {
    causes.push(forbiddenField(at, 'may not be set for a windows pod'));
    return;
  }
  if (resources.claims !== undefined)
    causes.push(forbiddenField(`${at}.claims`, 'claims may not be set for Resources at pod-level'));
  validateRequirements(resources, checkPodResource, claims, at, causes);
  checkConsistency(spec, resources, at, causes);
};

/** Every amount is at least zero, and whole where the resource comes in pieces. */
export const checkAmount = (name: string, amount: string, path: string, causes: Causes): void => {
  if (compareQuantities(amount, '0') < 0) causes.push(invalidValue(path, amount, mustNotBeNegative));
  if (isWhole(name) && milliValue(amount) % 1000 !== 0) causes.push(invalidValue(path, amount, 'must be an integer'));
};

/** True for resources of which a node may promise more than it has. */
export const isOvercommittable = (name: string): boolean => isNative(name) && !isHugePages(name);

/** `vendor.example/thing`: prefixed, not Kubernetes' own, and no quota name. */
export const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && qualifiedNameFaults(`requests.${name}`).length === 0;

const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

const standardContainerResources = new Set(['cpu', 'memory', 'ephemeral-storage']);
const isStandardContainerResource = (name: string) => standardContainerResources.has(name) || isHugePages(name);

const standardResources = new Set([
  ...standardContainerResources,
  ...['requests.cpu', 'requests.memory', 'requests.ephemeral-storage'],
  ...['limits.cpu', 'limits.memory', 'limits.ephemeral-storage'],
  ...['pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'configmaps'],
  ...['persistentvolumeclaims', 'storage', 'requests.storage', 'services.nodeports', 'services.loadbalancers'],
]);
const isStandardResource = (name: string): boolean =>
  standardResources.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-');

const countedResources = new Set([
  ...['pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'configmaps'],
  ...['persistentvolumeclaims', 'services.nodeports', 'services.loadbalancers'],
]);
const isWhole = (name: string): boolean => countedResources.has(name) || isExtended(name);

const checkResourceName = (name: string, path: string, causes: Causes): void => {
  const faults = qualifiedNameFaults(name);
  pushFaults(causes, path, name, faults);
  if (faults.length === 0 && !name.includes('/') && !isStandardResource(name))
    causes.push(invalidValue(path, name, 'must be a standard resource type or fully qualified'));
};

const checkContainerResource: CheckResourceName = (name, path, causes) => {
  if (standardContainerResources.has(name)) return;
  checkResourceName(name, path, causes);
  if (!name.includes('/')) {
    if (!isStandardContainerResource(name))
      causes.push(invalidValue(path, name, 'must be a standard resource for containers'));
  } else if (!isNative(name) && !isExtended(name)) {
    causes.push(invalidValue(path, name, "doesn't follow extended resource name standard"));
  }
};

const checkPodResource: CheckResourceName = (name, path, causes) => {
  if (isPodLevelResource(name)) return;
  checkResourceName(name, path, causes);
  causes.push(notSupported(path, name, ['cpu', 'hugepages-', 'memory']));
};

const validateRequirements = (
  { requests = {}, limits = {}, claims = [] }: ResourceRequirements,
  checkName: CheckResourceName,
  claimNames: ReadonlySet<string>,
  path: string,
  causes: Causes,
): void => {
  for (const name in limits) checkEntry(name, limits[name]!, `${path}.limits[${name}]`, checkName, causes);
  for (const name in requests) {
    checkEntry(name, requests[name]!, `${path}.requests[${name}]`, checkName, causes);
    checkAgainstLimit(name, requests[name]!, limits[name], path, causes);
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.some(name => name === 'cpu' || name === 'memory'))
    causes.push(forbiddenField(path, 'HugePages require cpu or memory'));
  checkClaims(claims, claimNames, `${path}.claims`, causes);
};

const checkEntry = (name: string, amount: string, path: string, checkName: CheckResourceName, causes: Causes): void => {
  checkName(name, path, causes);
  checkAmount(name, amount, path, causes);
  if (isHugePages(name) && !isMultiple(amount, name.slice('hugepages-'.length)))
    causes.push(invalidValue(path, amount, `${amount} is not positive integer multiple of ${name}`));
};

const isMultiple = (amount: string, page: string): boolean => {
  try {
    const size = wholeValue(page);
    return size > 0 && milliValue(amount) >= 0 && milliValue(amount) % (size * 1000) === 0;
  } catch {
    return false; // The page size in the resource's name is no quantity.
  }
};

const checkAgainstLimit = (
  name: string,
  request: string,
  limit: string | undefined,
  path: string,
  causes: Causes,
): void => {
  if (limit === undefined) {
    if (!isOvercommittable(name))
      causes.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
    return;
  }
  const order = compareQuantities(request, limit);
  if (order !== 0 && !isOvercommittable(name))
    causes.push(invalidValue(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`));
  else if (order > 0)
    causes.push(invalidValue(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
};

const checkClaims = (
  claims: readonly { name: string; request?: string }[],
  known: ReadonlySet<string>,
  path: string,
  causes: Causes,
): void => {
  const seen = new Set<string>();
  claims.forEach(({ name, request }, i) => {
    const at = `${path}[${i}]`;
    if (!name) {
      causes.push(required(at));
      return;
    }
    const key = request ? `${name}/${request}` : name;
    if (request) pushFaults(causes, `${at}.request`, request, labelFaults(request));
    const overlaps = request ? seen.has(name) : [...seen].some(other => other.startsWith(`${name}/`));
    if (seen.has(key)) causes.push(duplicate(at, key));
    else if (overlaps) causes.push(duplicate(at, name));
    seen.add(key);
    if (!known.has(name)) causes.push(unknownClaim(at, name, known));
  });
};

const unknownClaim = (path: string, name: string, known: ReadonlySet<string>): Cause => {
  const cause = notFoundValue(path, name);
  const names = known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`;
  return { ...cause, message: `${cause.message}: must be one of the names in pod.spec.resourceClaims${names}` };
};

const checkConsistency = (spec: PodSpec, resources: ResourceRequirements, path: string, causes: Causes): void => {
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: '' }, spec };
  const check = (field: 'requests' | 'limits', name: string, sum: string): void => {
    const whole = resources[field]?.[name];
    if (whole === undefined || compareQuantities(sum, whole) <= 0) return;
    const detail = `must be greater than or equal to aggregate container ${field} of ${sum}`;
    causes.push(invalidValue(`${path}.${field}[${name}]`, whole, detail));
  };
  for (const [name, sum] of Object.entries(aggregateContainerRequests(pod))) check('requests', name, sum);
  for (const [name, sum] of Object.entries(aggregateContainerLimits(pod)))
    if (isHugePages(name)) check('limits', name, sum);
  spec.containers.forEach((container, i) => {
    checkContainerLimits(container, resources, `${path}.containers[${i}]`, causes);
  });
};

// Upstream's path has the key before `limits`.
const checkContainerLimits = (
  container: Container,
  resources: ResourceRequirements,
  path: string,
  causes: Causes,
): void => {
  for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
    const whole = resources.limits?.[name];
    if (whole !== undefined && compareQuantities(limit, whole) > 0)
      causes.push(
        invalidValue(`${path}[${name}].limits`, limit, `must be less than or equal to pod limits of ${whole}`),
      );
  }
};
