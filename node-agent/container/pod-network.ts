/** The engine network that a node's pods are on: what it may be, and what pods cannot have without one; pure. */
import type { Pod } from '#api/kinds/core.ts';

/** The engine's own word for no network at all. */
const none = 'none';

/** Why pods cannot be on a network of this name, or undefined. */
export const networkFault = (name: string): string | undefined => {
  if (name === 'host') return 'pods that want the host\'s network say so themselves: "hostNetwork: true"';
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return undefined;
  return 'want bridge, none, or the name of a network of the engine (docker network ls)';
};

export const missingNetworkText = (name: string): string =>
  `the Docker Engine has no network "${name}" for pods: give --network the name of one that it has (docker network ls), or none for pods without addresses`;

/** Why a pod cannot be on the network, or undefined. */
export const podNetworkFault = (pod: Pod, network: string): string | undefined => {
  if (network !== none || pod.spec.hostNetwork) return undefined;
  for (const { name, ports } of [...(pod.spec.initContainers ?? []), ...pod.spec.containers])
    for (const { hostPort } of ports ?? [])
      if (hostPort) return `container "${name}" wants hostPort ${hostPort}, but pods of this node have no network`;
  return undefined;
};
