/**
 * Admission: what the cluster's rules say about a write, beyond the shape of the object. Two lists of plain functions, as
 * upstream: those that may change the draft run before validation, those that only judge after it. A refusal is a
 * thrown ApiError; a warning goes to the client.
 */
import type { Kind } from '#api/kind.ts';
import type { KubeObject, ObjectRef } from '#api/object.ts';
import type { Draft, User } from '../request.ts';
import { addDefaultTolerations } from './default-tolerations.ts';
import { mergeMatchLabelKeys } from './match-label-keys.ts';
import { guardNamespace } from './namespace-lifecycle.ts';
import { checkNamespaceSecurity } from './namespace-security.ts';
import { restrictNode } from './node-restriction.ts';
import { checkPodSecurity } from './pod-security.ts';
import { setPriority } from './priority.ts';
import { setServiceAccount } from './service-account.ts';

/** The present state, read-only. */
export interface Lookup {
  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): T | undefined;
  /** Of all namespaces when none is given. */
  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly T[];
}

export interface Admitted {
  readonly verb: 'create' | 'update' | 'delete';
  readonly kind: Kind;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly user: User;
  /** The object as it would be stored; at delete, as it is. */
  readonly object: Draft;
  readonly old: KubeObject | undefined;
  readonly lookup: Lookup;
  warn(text: string): void;
}

export type Admission = (request: Admitted) => void;

export const mutatingAdmission: readonly Admission[] = [
  guardNamespace,
  restrictNode,
  setServiceAccount,
  addDefaultTolerations,
  setPriority,
  mergeMatchLabelKeys,
];

export const validatingAdmission: readonly Admission[] = [checkPodSecurity, checkNamespaceSecurity];
