/** The FailedScheduling sentence, character by character as upstream writes it (SEMANTICS H). */

/** `0/5 nodes are available: 2 Insufficient cpu, 3 node(s) were unschedulable.` (upstream: FitError.Error) */
export const fitError = (nodes: number, reasons: ReadonlyMap<string, number>): string => {
  const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort(byCodeUnits);
  return `0/${nodes} nodes are available:${parts.length === 0 ? '' : ` ${parts.join(', ')}.`}`;
};

/** The same for a pod that was rejected before any node was looked at. */
export const preFilterError = (nodes: number, reason: string): string => `0/${nodes} nodes are available: ${reason}.`;

/** Text of the condition of a pod that is tried while there is no node at all (upstream: ErrNoNodesAvailable). */
export const noNodesError = 'no nodes available to schedule pods';

/**
 * What the plugins add that are asked when no node fits: upstream's DynamicResources speaks first, then preemption, of
 * which `preemption` is the message.
 */
export const postFilterSuffix = (dynamicResources: boolean, preemption?: string): string => {
  const parts = [
    ...(dynamicResources ? ['no new claims to deallocate'] : []),
    ...(preemption === undefined ? [] : [`preemption: ${preemption}`]),
  ];
  return parts.length === 0 ? '' : ` ${parts.join(', ')}`;
};

/** Go sorts strings by bytes; all reasons are ASCII. */
const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const eventLimit = 1024;

/** An event's message: at most 1,024 characters. */
export const eventMessage = (message: string): string =>
  message.length > eventLimit ? `${message.slice(0, eventLimit - 4)} ...` : message;
