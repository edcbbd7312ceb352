/** Single changes to a pod or a cluster, as data: what suggestions consist of. Amounts are in the engine's units. */
import type { Node, Taint, Toleration } from '#api/kinds/core.ts';
import type { UnmetRequirement } from './obstacle.ts';

export type Edit = PodEdit | ClusterEdit;

/** Changes of the pod itself. Constraints and terms are counted from 0 in the pod's own lists. */
export type PodEdit =
  /** The request of the pod as a whole. */
  | { readonly is: 'lowerRequest'; readonly resource: string; readonly from: number; readonly to: number }
  | { readonly is: 'tolerate'; readonly toleration: Toleration }
  | { readonly is: 'dropNodeSelector'; readonly key: string; readonly value: string }
  | {
      readonly is: 'dropRequirement';
      readonly term: number;
      readonly requirement: Pick<UnmetRequirement, 'key' | 'operator' | 'values' | 'isField'>;
    }
  | SpreadEdit
  | {
      readonly is: 'dropTerm';
      readonly of: 'podAffinity' | 'podAntiAffinity';
      readonly term: number;
      readonly topologyKey: string;
    }
  | { readonly is: 'hostPort'; readonly protocol: string; readonly from: number; readonly to: number }
  | { readonly is: 'priority'; readonly className: string | undefined; readonly from: number; readonly to: number }
  | { readonly is: 'mayPreempt' };

export type SpreadEdit = { readonly constraint: number; readonly topologyKey: string } & (
  | { readonly is: 'maxSkew' | 'minDomains'; readonly from: number; readonly to: number }
  | { readonly is: 'scheduleAnyway' }
);

/** Changes of what is around the pod. Pods are named `namespace/name`. */
export type ClusterEdit =
  | { readonly is: 'uncordon'; readonly node: string }
  | { readonly is: 'removeTaint'; readonly node: string; readonly taint: Taint }
  | {
      readonly is: 'labelNode';
      readonly node: string;
      readonly key: string;
      /** Undefined: the label is removed. */
      readonly value: string | undefined;
      readonly was: string | undefined;
    }
  | { readonly is: 'deletePods'; readonly node: string; readonly pods: readonly NamedPod[] }
  | {
      readonly is: 'shrinkPod';
      readonly node: string;
      readonly pod: NamedPod;
      readonly resource: string;
      readonly from: number;
      readonly to: number;
    }
  | { readonly is: 'addNode'; readonly node: Node };

export interface NamedPod {
  readonly key: string;
  readonly priority: number;
}
