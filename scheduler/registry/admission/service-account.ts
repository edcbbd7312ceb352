/**
 * ServiceAccount: a pod without a service account gets `default`; one that names another must name one that exists. (The
 * `default` one is not asked for, because a controller makes it a moment after its namespace.) No token is mounted: pods
 * do not talk to Berth's API unless they are given a token.
 */
import { podKind, serviceAccountKind } from '#api/kinds/core.ts';
import type { Pod } from '#api/kinds/pod.ts';
import { forbidden } from '#api/status.ts';
import type { Admitted } from './admission.ts';

export const setServiceAccount = ({ verb, kind, subresource, object, namespace, lookup }: Admitted): void => {
  if (verb !== 'create' || kind !== podKind || subresource !== undefined) return;
  const { spec, metadata } = object as Draft;
  const name = spec.serviceAccountName || spec.serviceAccount || 'default';
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
  if (name === 'default') return;
  if (lookup.get(serviceAccountKind, { namespace: namespace ?? '', name }) !== undefined) return;
  const why = `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`;
  throw forbidden(podKind, metadata.name || metadata.generateName || '', why);
};

type Draft = Pod;
