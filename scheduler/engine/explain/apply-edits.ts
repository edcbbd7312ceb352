/** What a pod and a cluster look like after a suggestion: copies, the objects themselves stay as they are. */
import type { Node, Pod, PodSpec } from '#api/kinds/core.ts';
import type { StateChanges } from '../world.ts';
import type { ClusterEdit, Edit, PodEdit } from './edit.ts';
import { withRequest } from './lower-request.ts';

/** Where the objects are found. */
export interface Scene {
  readonly pod: Pod;
  node(name: string): Node | undefined;
  /** By `namespace/name`. */
  placed(key: string): Pod | undefined;
}

export interface Edited extends Required<StateChanges> {
  readonly pod: Pod;
}

/** Undefined when an edit cannot be made, such as of a node that is not there. */
export const applyEdits = (scene: Scene, edits: readonly Edit[]): Edited | undefined => {
  let { pod } = scene;
  const nodes = new Map<string, Node>();
  const pods = new Map<string, Pod>();
  const removed = new Set<string>();
  for (const edit of edits) {
    switch (edit.is) {
      case 'uncordon':
      case 'removeTaint':
      case 'labelNode': {
        const node = nodes.get(edit.node) ?? scene.node(edit.node);
        if (node === undefined) return undefined;
        nodes.set(edit.node, editNode(node, edit));
        break;
      }
      case 'addNode':
        nodes.set(edit.node.metadata.name, edit.node);
        break;
      case 'deletePods':
        for (const { key } of edit.pods) removed.add(key);
        break;
      case 'shrinkPod': {
        const other = pods.get(edit.pod.key) ?? scene.placed(edit.pod.key);
        const smaller = other === undefined ? undefined : withRequest(other, edit.resource, edit.to);
        if (smaller === undefined) return undefined;
        pods.set(edit.pod.key, smaller);
        break;
      }
      default: {
        const changed = editPod(pod, edit);
        if (changed === undefined) return undefined;
        pod = changed;
      }
    }
  }
  for (const key of removed) pods.delete(key);
  return { pod, setNodes: [...nodes.values()], removeNodes: [], setPods: [...pods.values()], removePods: [...removed] };
};

export const unschedulableTaint = 'node.kubernetes.io/unschedulable';

const editNode = (node: Node, edit: Extract<ClusterEdit, { is: 'uncordon' | 'removeTaint' | 'labelNode' }>): Node => {
  switch (edit.is) {
    case 'uncordon': {
      const { unschedulable: _, ...spec } = node.spec ?? {};
      const taints = (spec.taints ?? []).filter(({ key }) => key !== unschedulableTaint);
      return { ...node, spec: { ...spec, taints } };
    }
    case 'removeTaint': {
      const { key, effect } = edit.taint;
      const taints = (node.spec?.taints ?? []).filter(taint => taint.key !== key || taint.effect !== effect);
      return { ...node, spec: { ...node.spec, taints } };
    }
    case 'labelNode': {
      const { [edit.key]: _, ...labels } = node.metadata.labels ?? {};
      const changed = edit.value === undefined ? labels : { ...labels, [edit.key]: edit.value };
      return { ...node, metadata: { ...node.metadata, labels: changed } };
    }
  }
};

const editPod = (pod: Pod, edit: PodEdit): Pod | undefined => {
  const { spec } = pod;
  const changed = (more: Partial<PodSpec>): Pod => ({ ...pod, spec: { ...spec, ...more } });
  switch (edit.is) {
    case 'lowerRequest':
      return withRequest(pod, edit.resource, edit.to);
    case 'tolerate':
      return changed({ tolerations: [...(spec.tolerations ?? []), edit.toleration] });
    case 'dropNodeSelector': {
      const { [edit.key]: _, ...nodeSelector } = spec.nodeSelector ?? {};
      return changed({ nodeSelector });
    }
    case 'dropRequirement':
      return withoutRequirement(pod, edit);
    case 'maxSkew':
    case 'minDomains':
    case 'scheduleAnyway':
      return changed({ topologySpreadConstraints: spreadAfter(spec, edit) });
    case 'dropTerm': {
      const group = spec.affinity?.[edit.of];
      const terms = group?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
      const left = terms.filter((_, i) => i !== edit.term);
      const after = { ...group, requiredDuringSchedulingIgnoredDuringExecution: left };
      return changed({ affinity: { ...spec.affinity, [edit.of]: after } });
    }
    case 'hostPort':
      return withPort(pod, edit);
    case 'priority': {
      const { priorityClassName: _, ...rest } = spec;
      const name = edit.className === undefined ? {} : { priorityClassName: edit.className };
      return { ...pod, spec: { ...rest, ...name, priority: edit.to } };
    }
    case 'mayPreempt':
      return changed({ preemptionPolicy: 'PreemptLowerPriority' });
  }
};

/** A term that nothing is left of would match no node: then the pod wants no node in particular any more. */
const withoutRequirement = (pod: Pod, edit: Extract<PodEdit, { is: 'dropRequirement' }>): Pod => {
  const { nodeAffinity, ...affinity } = pod.spec.affinity ?? {};
  const { requiredDuringSchedulingIgnoredDuringExecution: required, ...preferred } = nodeAffinity ?? {};
  const terms = required?.nodeSelectorTerms ?? [];
  const { key, operator, values, isField } = edit.requirement;
  const isOther = (one: { key: string; operator: string; values?: readonly string[] }): boolean =>
    one.key !== key || one.operator !== operator || (one.values ?? []).join(',') !== values.join(',');
  const after = terms.map((term, i) => {
    if (i !== edit.term) return term;
    return isField
      ? { ...term, matchFields: (term.matchFields ?? []).filter(isOther) }
      : { ...term, matchExpressions: (term.matchExpressions ?? []).filter(isOther) };
  });
  const changed = after[edit.term];
  const isEmpty = (changed?.matchExpressions ?? []).length === 0 && (changed?.matchFields ?? []).length === 0;
  const left = isEmpty
    ? preferred
    : { ...preferred, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: after } };
  return { ...pod, spec: { ...pod.spec, affinity: { ...affinity, nodeAffinity: left } } };
};

const spreadAfter = (
  spec: PodSpec,
  edit: Extract<PodEdit, { is: 'maxSkew' | 'minDomains' | 'scheduleAnyway' }>,
): NonNullable<PodSpec['topologySpreadConstraints']> =>
  (spec.topologySpreadConstraints ?? []).map((constraint, i) => {
    if (i !== edit.constraint) return constraint;
    if (edit.is !== 'scheduleAnyway') return { ...constraint, [edit.is]: edit.to };
    // The API refuses minDomains on a constraint that does not refuse nodes.
    const { minDomains: _, ...rest } = constraint;
    return { ...rest, whenUnsatisfiable: 'ScheduleAnyway' as const };
  });

const withPort = (pod: Pod, { protocol, from, to }: Extract<PodEdit, { is: 'hostPort' }>): Pod => {
  const change = <T extends PodSpec['containers'][number]>(container: T): T => ({
    ...container,
    ...(container.ports === undefined
      ? {}
      : {
          ports: container.ports.map(port =>
            port.hostPort === from && (port.protocol ?? 'TCP') === protocol ? { ...port, hostPort: to } : port,
          ),
        }),
  });
  const { containers, initContainers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(change),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(change) }),
    },
  };
};
