/** The types that the schemas give against the independent npm package kubernetes-types (v1.30), where both have a field. */
import type * as Apps from 'kubernetes-types/apps/v1.d.ts';
import type * as Coordination from 'kubernetes-types/coordination/v1.d.ts';
import type * as Core from 'kubernetes-types/core/v1.d.ts';
import type * as Policy from 'kubernetes-types/policy/v1.d.ts';
import type * as Scheduling from 'kubernetes-types/scheduling/v1.d.ts';
import { describe, expectTypeOf, test } from 'vitest';
import type { ReplicaSet, StatefulSet } from '#api/kinds/apps.ts';
import type { Lease } from '#api/kinds/coordination.ts';
import type * as Ours from '#api/kinds/core.ts';
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import type { PriorityClass } from '#api/kinds/scheduling.ts';

/**
 * Fields of both, down to the leaves, without optionality. apiVersion and kind are narrower there, and managedFields are
 * typed loosely; texts and numbers are compared as such.
 */
type Left<A, B> = A extends string | number | boolean
  ? A extends string
    ? string
    : A extends number
      ? number
      : boolean
  : A extends readonly (infer I)[]
    ? NonNullable<B> extends readonly (infer J)[]
      ? Left<NonNullable<I>, NonNullable<J>>[]
      : never
    : A extends object
      ? NonNullable<B> extends object
        ? {
            [K in Exclude<
              keyof A & keyof NonNullable<B>,
              'apiVersion' | 'kind' | 'managedFields' | 'selfLink'
            >]-?: Left<NonNullable<A[K]>, NonNullable<NonNullable<B>[K]>>;
          }
        : never
      : A;
type Common<A, B> = Left<NonNullable<A>, B>;

describe('our types agree with kubernetes-types', () => {
  test('Pod', () => {
    expectTypeOf<Common<Ours.PodSpec, Core.PodSpec>>().toEqualTypeOf<Common<Core.PodSpec, Ours.PodSpec>>();
    expectTypeOf<Common<Ours.PodStatus, Core.PodStatus>>().toEqualTypeOf<Common<Core.PodStatus, Ours.PodStatus>>();
    expectTypeOf<Common<Ours.Container, Core.Container>>().toEqualTypeOf<Common<Core.Container, Ours.Container>>();
  });
  test('Node', () => {
    expectTypeOf<Common<Ours.NodeSpec, Core.NodeSpec>>().toEqualTypeOf<Common<Core.NodeSpec, Ours.NodeSpec>>();
    expectTypeOf<Common<Ours.NodeStatus, Core.NodeStatus>>().toEqualTypeOf<Common<Core.NodeStatus, Ours.NodeStatus>>();
  });
  test('ConfigMap, Secret, Namespace, ServiceAccount, Event, Service', () => {
    expectTypeOf<Common<Ours.ConfigMap, Core.ConfigMap>>().toEqualTypeOf<Common<Core.ConfigMap, Ours.ConfigMap>>();
    expectTypeOf<Common<Ours.Secret, Core.Secret>>().toEqualTypeOf<Common<Core.Secret, Ours.Secret>>();
    expectTypeOf<Common<Ours.Namespace, Core.Namespace>>().toEqualTypeOf<Common<Core.Namespace, Ours.Namespace>>();
    expectTypeOf<Common<Ours.ServiceAccount, Core.ServiceAccount>>().toEqualTypeOf<
      Common<Core.ServiceAccount, Ours.ServiceAccount>
    >();
    expectTypeOf<Common<Ours.Event, Core.Event>>().toEqualTypeOf<Common<Core.Event, Ours.Event>>();
    expectTypeOf<Common<Ours.Service, Core.Service>>().toEqualTypeOf<Common<Core.Service, Ours.Service>>();
  });
  test('the kinds of other groups', () => {
    expectTypeOf<Common<ReplicaSet, Apps.ReplicaSet>>().toEqualTypeOf<Common<Apps.ReplicaSet, ReplicaSet>>();
    expectTypeOf<Common<StatefulSet, Apps.StatefulSet>>().toEqualTypeOf<Common<Apps.StatefulSet, StatefulSet>>();
    expectTypeOf<Common<Lease, Coordination.Lease>>().toEqualTypeOf<Common<Coordination.Lease, Lease>>();
    expectTypeOf<Common<PriorityClass, Scheduling.PriorityClass>>().toEqualTypeOf<
      Common<Scheduling.PriorityClass, PriorityClass>
    >();
    expectTypeOf<Common<PodDisruptionBudget, Policy.PodDisruptionBudget>>().toEqualTypeOf<
      Common<Policy.PodDisruptionBudget, PodDisruptionBudget>
    >();
  });
  test('a field of another type would be noticed', () => {
    type Spec = Common<Ours.PodSpec, Core.PodSpec>;
    expectTypeOf<Spec['containers'][number]['ports'][number]['containerPort']>().toEqualTypeOf<number>();
    expectTypeOf<Common<Core.PodSpec, Ours.PodSpec>['nodeSelector'][string]>().toEqualTypeOf<string>();
    expectTypeOf<Common<{ a?: number }, { a?: string }>>().not.toEqualTypeOf<Common<{ a?: string }, { a?: number }>>();
    expectTypeOf<Common<{ a: string[] }, { a: string }>>().not.toEqualTypeOf<Common<{ a: string }, { a: string[] }>>();
  });
});
