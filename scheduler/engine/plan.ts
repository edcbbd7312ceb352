/**
 * A plan as data: what would become of a cluster if manifests were applied, a node drained, a node lost. This is also the
 * document that `berth plan -o json` prints (docs/PLAN.md): fields are added, never renamed or taken away.
 */

export const planVersion = 'berth.dev/v1';

export interface Plan {
  readonly apiVersion: typeof planVersion;
  readonly kind: 'Plan';
  readonly verdict: Verdict;
  /** The objects of the manifests, in their order. */
  readonly objects: readonly PlannedObject[];
  /** Pods that get a node, in the order in which the scheduler would place them. */
  readonly placements: readonly Placement[];
  /** Pods without a node. */
  readonly pending: readonly PendingPod[];
  readonly preemptions: readonly PlannedPreemption[];
  /** Pods that go because the manifests want fewer, or others in their place. */
  readonly removed: readonly { readonly pod: string; readonly node?: string; readonly why: string }[];
  /** Placements of before and after, drained pods included; lost nodes are not. */
  readonly nodes: readonly NodeUsage[];
  readonly total: Readonly<Record<string, ResourceUsage>>;
  readonly drain?: Drain;
  /** One entry per node that was thought away, each from the same state. */
  readonly nodeLoss?: readonly NodeLoss[];
  readonly notes: readonly string[];
}

export type Worse = 'pending' | 'evict' | 'blocked';

export interface Verdict {
  /** True: nothing would change for the worse. */
  readonly ok: boolean;
  /** Pods left without a node that did not lack one before, in the plan, the drain and each loss. */
  readonly pending: number;
  /** Pods that would be preempted, and pods that a drain would end for good. */
  readonly evict: number;
  /** Pods that keep a drain from ending. */
  readonly blocked: number;
}

export interface PlannedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly change: 'created' | 'configured' | 'unchanged' | 'replaced';
  /** File, or STDIN. */
  readonly source: string;
  readonly note?: string;
}

/** new: of the manifests; moved: made again after it was evicted; waiting: in the cluster already, without a node. */
export type PodChange = 'new' | 'replaced' | 'moved' | 'waiting';

export interface Placement {
  /** `namespace/name` */
  readonly pod: string;
  readonly node: string;
  readonly change: PodChange;
  /** `ReplicaSet/web` */
  readonly owner?: string;
  /** The node that it was on. */
  readonly from?: string;
  readonly priority: number;
  /** Absent: the manifest names the node, or only one node fits. */
  readonly score?: number;
  /** Nodes that the pod fits on, and how many of them are equally good; the plan takes the first of those. */
  readonly feasible?: number;
  readonly ties?: number;
  /** The manifest names the node: the scheduler is not asked. */
  readonly fixed?: true;
}

export interface PendingPod {
  readonly pod: string;
  readonly change: PodChange;
  readonly owner?: string;
  readonly from?: string;
  readonly priority: number;
  /** In the scheduler's words. */
  readonly message: string;
  /** Held back by its own scheduling gates: nothing is wrong. */
  readonly gated?: true;
}

export interface PlannedPreemption {
  /** The pod that others make room for. */
  readonly by: string;
  readonly node: string;
  readonly pdbViolations: number;
  readonly victims: readonly Displaced[];
}

/** A pod that has to go, and what becomes of it: it has a new node (`to`), is `pending`, or is `lost`. */
export interface Displaced {
  readonly pod: string;
  readonly priority: number;
  readonly owner?: string;
  readonly to?: string;
  readonly pending?: string;
  readonly lost?: true;
}

/** Quantities as Kubernetes writes them. */
export interface ResourceUsage {
  readonly allocatable: string;
  readonly requests: { readonly before: string; readonly after: string };
  readonly limits: { readonly before: string; readonly after: string };
}

export interface NodeUsage {
  readonly node: string;
  readonly resources: Readonly<Record<string, ResourceUsage>>;
}

export interface Drain {
  readonly node: string;
  readonly evicted: readonly Displaced[];
  readonly blocked: readonly { readonly pod: string; readonly message: string }[];
  /** Pods that stay: of DaemonSets, or made by the node itself. */
  readonly staying: readonly string[];
  readonly preemptions: readonly PlannedPreemption[];
}

export interface NodeLoss {
  readonly node: string;
  /** Every pod finds another node and none is pushed out for it. */
  readonly survives: boolean;
  readonly displaced: readonly Displaced[];
  readonly preemptions: readonly PlannedPreemption[];
}
