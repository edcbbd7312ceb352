/** Changes as sentences in the imperative: `lower the cpu request from 3 to 2500m`. */
import { exactAmount } from './amounts.ts';
import type { Change } from './changes.ts';
import type { Edit, NamedPod } from './edit.ts';
import { freeName } from './new-node.ts';
import { requirementText, taintText } from './obstacle.ts';

/** `lower the cpu request from 3 to 2500m → n1, pushing out default/a` */
export const changeText = ({ edits, node, victims }: Omit<Change, 'cost'>): string => {
  const where = edits.some(({ is }) => is === 'addNode') ? '' : ` → ${node}`;
  const cost = victims.length === 0 ? '' : `, pushing out ${podsText(victims)}`;
  return edits.map(editText).join(', and ') + where + cost;
};

export const editText = (edit: Edit): string => {
  switch (edit.is) {
    case 'lowerRequest': {
      const { resource, from, to } = edit;
      return `lower the pod's ${resource} request from ${exactAmount(resource, from)} to ${exactAmount(resource, to)}`;
    }
    case 'tolerate': {
      const { key = '', value, effect } = edit.toleration;
      return `tolerate ${key}${value ? `=${value}` : ''}${effect === undefined ? '' : `:${effect}`}`;
    }
    case 'dropNodeSelector':
      return `drop ${edit.key}=${edit.value} from the pod's node selector`;
    case 'dropRequirement':
      return `drop ${requirementText(edit.requirement)} from the pod's node affinity`;
    case 'maxSkew':
    case 'minDomains':
      return `${edit.is === 'maxSkew' ? 'raise' : 'lower'} ${edit.is} over ${edit.topologyKey} from ${edit.from} to ${edit.to}`;
    case 'scheduleAnyway':
      return `make the spread over ${edit.topologyKey} a wish: whenUnsatisfiable ScheduleAnyway`;
    case 'dropTerm':
      return `drop the pod's required ${edit.of === 'podAffinity' ? 'affinity' : 'anti-affinity'} over ${edit.topologyKey}`;
    case 'hostPort':
      return `use host port ${edit.to} instead of ${edit.from}/${edit.protocol}`;
    case 'priority':
      return edit.className === undefined
        ? `raise the pod's priority from ${edit.from} to ${edit.to}`
        : `give the pod priority class ${edit.className} (priority ${edit.to} instead of ${edit.from})`;
    case 'mayPreempt':
      return 'let the pod push out others: preemptionPolicy PreemptLowerPriority';
    case 'uncordon':
      return `uncordon node ${edit.node}`;
    case 'removeTaint': {
      const text = taintText(edit.taint);
      return edit.taint.key.startsWith('node.kubernetes.io/')
        ? `bring node ${edit.node} back in order (its taint ${text})`
        : `remove taint ${text} from node ${edit.node}`;
    }
    case 'labelNode':
      return edit.value === undefined
        ? `remove label ${edit.key} from node ${edit.node} (now ${edit.was ?? ''})`
        : `label node ${edit.node} ${edit.key}=${edit.value}${edit.was === undefined ? '' : ` (now ${edit.was})`}`;
    case 'deletePods':
      return `delete ${podsText(edit.pods)} on node ${edit.node}`;
    case 'shrinkPod': {
      const { resource, from, to, pod, node } = edit;
      return `shrink the ${resource} request of ${pod.key} on node ${node} from ${exactAmount(resource, from)} to ${exactAmount(resource, to)}`;
    }
    case 'addNode':
      return `add ${newNodeText(edit)}`;
  }
};

const fewPods = 3;

/** `default/a`, `default/a and default/b (priority 10)`, `default/a, default/b, default/c and 4 more`. */
export const podsText = (pods: readonly NamedPod[]): string => {
  const shown = pods
    .slice(0, fewPods)
    .map(({ key, priority }) => (priority === 0 ? key : `${key} (priority ${priority})`));
  const more = pods.length - shown.length;
  if (more > 0) return `${shown.join(', ')} and ${more} more`;
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
};

const newNodeText = ({ node }: Extract<Edit, { is: 'addNode' }>): string => {
  const { cpu = '', memory = '', pods: _, ...rest } = node.status?.allocatable ?? {};
  const more = Object.entries(rest).map(([resource, amount]) => `, ${amount} ${resource}`);
  const labels = Object.entries(node.metadata.labels ?? {}).filter(([key]) => key !== 'kubernetes.io/hostname');
  const labelled =
    labels.length === 0 ? '' : `, labelled ${labels.map(([key, value]) => `${key}=${value}`).join(', ')}`;
  const named = node.metadata.name.startsWith(freeName) ? '' : ` named ${node.metadata.name}`;
  return `a node${named} with ${cpu} cpu and ${memory} memory${more.join('')}${labelled}`;
};
