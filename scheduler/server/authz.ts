/**
 * What a user may do: administrators everything; a node what its agent needs and nothing of other nodes (upstream's Node
 * authorizer; what it may write is narrowed further by admission/node-restriction.ts); the join token only joining.
 * Everyone who is authenticated may read discovery, version and OpenAPI.
 */
import { podKind } from '#api/kinds/core.ts';
import type { Pod } from '#api/kinds/pod.ts';
import { parseFieldSelector } from '#api/labels.ts';
import { ApiError } from '#api/status.ts';
import { nodeOfUser } from '#registry/admission/node-restriction.ts';
import { prefixOf, storeKey } from '#registry/keys.ts';
import type { RegistryDeps } from '#registry/registry.ts';
import type { User } from '#registry/request.ts';
import type { RequestInfo, ResourceRequest } from './request-info.ts';

/** Whether, and when not, why: an empty reason when there is nothing to say. */
export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

const yes: Verdict = { allowed: true };
const no = (reason = ''): Verdict => ({ allowed: false, reason });

export const authorize = (registry: RegistryDeps, user: User, info: RequestInfo): Verdict => {
  if (user.groups.includes('system:masters')) return yes;
  if (!info.isResource) return authorizePath(user, info.path, info.verb);
  if (info.group === 'berth.dev') return authorizeBerth(user, info);
  const node = nodeOfUser(user);
  if (node !== undefined) return authorizeNode(registry, node, info);
  return isSelfReview(info) ? yes : no();
};

/** The refusal in upstream's words. */
export const refusal = (user: User, info: RequestInfo, reason: string): ApiError => {
  const why = reason === '' ? '' : `: ${reason}`;
  if (!info.isResource)
    return new ApiError({
      code: 403,
      reason: 'Forbidden',
      message: `forbidden: User ${JSON.stringify(user.name)} cannot ${info.verb} path ${JSON.stringify(info.path)}${why}`,
      details: {},
    });
  const { verb, resource, subresource, group, namespace, name } = info;
  const full = subresource === undefined ? resource : `${resource}/${subresource}`;
  const shown = group === '' ? resource : `${resource}.${group}`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return new ApiError({
    code: 403,
    reason: 'Forbidden',
    message: `${shown}${name === undefined ? '' : ` ${JSON.stringify(name)}`} is forbidden: User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${scope}${why}`,
    details: { ...(name === undefined ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource },
  });
};

const openPaths = /^\/(api|apis|openapi|version|healthz|livez|readyz)(\/|$)/;

const authorizePath = (user: User, path: string, verb: string): Verdict => {
  if (verb !== 'get' && verb !== 'head') return no();
  if (openPaths.test(path)) return yes;
  return path === '/metrics' && nodeOfUser(user) !== undefined ? yes : no();
};

const authorizeBerth = (user: User, { resource, verb, name }: ResourceRequest): Verdict => {
  if (resource === 'join') return verb === 'create' && user.groups.includes('system:bootstrappers') ? yes : no();
  const node = nodeOfUser(user);
  return node !== undefined && resource === 'nodes' && verb === 'get' && name === node ? yes : no();
};

const isSelfReview = ({ group, resource, verb }: ResourceRequest): boolean =>
  verb === 'create' &&
  (group === 'authorization.k8s.io' || group === 'authentication.k8s.io') &&
  resource.startsWith('selfsubject');

const authorizeNode = (registry: RegistryDeps, node: string, info: ResourceRequest): Verdict => {
  if (isSelfReview(info)) return yes;
  const { group, resource, verb, subresource } = info;
  const reads = verb === 'get' || verb === 'list' || verb === 'watch';
  switch (group === '' ? resource : `${resource}.${group}`) {
    case 'nodes':
      if (!reads) return verb === 'deletecollection' ? no() : yes;
      return info.name === node || selects(info, 'metadata.name', node) ? yes : noRelation(node);
    case 'leases.coordination.k8s.io':
      return verb === 'deletecollection' || (reads && info.name !== node) ? no() : yes;
    case 'events':
      return (verb === 'create' || verb === 'patch' || verb === 'update') && subresource === undefined ? yes : no();
    case 'services':
      return reads ? yes : no();
    case 'pods':
      if (!reads) return mayWritePod(registry, node, info);
      if (subresource !== undefined) return no();
      if (info.name === undefined)
        return selects(info, 'spec.nodeName', node)
          ? yes
          : no(`can only list/watch pods with spec.nodeName field selector`);
      return isBound(registry, node, info) ? yes : noRelation(node);
    case 'namespaces':
      return verb === 'get' && subresource === undefined && usesNamespace(registry, node, info.name)
        ? yes
        : noRelation(node);
    case 'configmaps':
    case 'secrets':
    case 'serviceaccounts':
      return mayRead(registry, node, info);
    default:
      return no();
  }
};

/** What is written of which pod is narrowed further by admission; nothing of exec, attach and their like is an agent's. */
const mayWritePod = (registry: RegistryDeps, node: string, info: ResourceRequest): Verdict => {
  const { verb, subresource } = info;
  if (verb === 'deletecollection') return no();
  if (subresource === 'eviction' && !isBound(registry, node, info))
    return no(`node ${JSON.stringify(node)} can only evict pods with spec.nodeName set to itself`);
  return subresource === undefined || subresource === 'status' || subresource === 'eviction' ? yes : no();
};

const noRelation = (node: string): Verdict => no(`no relationship found between node '${node}' and this object`);

/** True when the request's field selector demands that value. */
const selects = ({ query }: ResourceRequest, field: string, value: string): boolean => selected(query, field) === value;

const selected = (query: URLSearchParams, field: string): string | undefined =>
  parseFieldSelector(query.get('fieldSelector') ?? '').find(term => term.field === field && term.operator === '=')
    ?.value;

const isBound = ({ store }: RegistryDeps, node: string, { namespace = '', name = '' }: ResourceRequest): boolean => {
  const pod = store.get(storeKey(podKind, { namespace, name }))?.value as Pod | undefined;
  return pod?.spec.nodeName === node;
};

/** Reading one object (or watching it by name) that a pod of the node refers to. */
const mayRead = (registry: RegistryDeps, node: string, info: ResourceRequest): Verdict => {
  const { verb, namespace, resource } = info;
  if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return no();
  const name = info.name ?? selected(info.query, 'metadata.name');
  if (namespace === undefined || name === undefined) return no(`can only read resources of this type with a name`);
  const referenced = podsOf(registry, node, namespace).some(pod => referencesOf(pod)[resource]?.has(name));
  // Every pod's namespace has these two, and agents give them to pods.
  return referenced || (resource === 'configmaps' && name === 'kube-root-ca.crt') ? yes : noRelation(node);
};

const usesNamespace = (registry: RegistryDeps, node: string, name: string | undefined): boolean =>
  // The uid of kube-system is how agents know one cluster from another.
  name === 'kube-system' || (name !== undefined && podsOf(registry, node, name).length > 0);

const podsOf = ({ store }: RegistryDeps, node: string, namespace: string): readonly Pod[] =>
  store
    .list(prefixOf(podKind, namespace), { where: ({ value }) => (value as Pod).spec.nodeName === node })
    .entries.map(entry => entry.value as Pod);

/** The names of the objects that a pod refers to, by resource. */
export const referencesOf = ({ spec }: Pod): Readonly<Record<string, ReadonlySet<string>>> => {
  const configmaps = new Set<string | undefined>();
  const secrets = new Set<string | undefined>((spec.imagePullSecrets ?? []).map(({ name }) => name));
  for (const container of [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]) {
    for (const { valueFrom } of container.env ?? []) {
      configmaps.add(valueFrom?.configMapKeyRef?.name);
      secrets.add(valueFrom?.secretKeyRef?.name);
    }
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      configmaps.add(configMapRef?.name);
      secrets.add(secretRef?.name);
    }
  }
  for (const { configMap, secret, projected } of spec.volumes ?? []) {
    configmaps.add(configMap?.name);
    secrets.add(secret?.secretName);
    for (const source of projected?.sources ?? []) {
      configmaps.add(source.configMap?.name);
      secrets.add(source.secret?.name);
    }
  }
  const named = (names: Set<string | undefined>) => new Set([...names].filter(name => name !== undefined));
  return {
    configmaps: named(configmaps),
    secrets: named(secrets),
    serviceaccounts: named(new Set([spec.serviceAccountName])),
  };
};
