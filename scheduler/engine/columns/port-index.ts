/** Host ports in use: per protocol and port, the addresses they are bound to on each node that uses them. */
import type { HostPort } from '../shapes/shape.ts';

const any = '0.0.0.0';

/** Told of every pod with host ports that comes to or leaves a node. */
export class PortIndex {
  readonly #uses = new Map<string, Map<number, Map<string, number>>>();

  /** A pod with these ports comes (`by` 1) or leaves. */
  count(slot: number, ports: readonly HostPort[], by: 1 | -1): void {
    for (const { protocol, port, ip } of ports) {
      const key = `${protocol}/${port}`;
      const nodes = this.#uses.get(key) ?? new Map<number, Map<string, number>>();
      const addresses = nodes.get(slot) ?? new Map<string, number>();
      const left = (addresses.get(ip) ?? 0) + by;
      if (left === 0) addresses.delete(ip);
      else addresses.set(ip, left);
      if (addresses.size === 0) nodes.delete(slot);
      else nodes.set(slot, addresses);
      if (nodes.size === 0) this.#uses.delete(key);
      else this.#uses.set(key, nodes);
    }
  }

  /** The nodes on which this port is in use, with the addresses; undefined when there is none. */
  users({ protocol, port }: HostPort): ReadonlyMap<number, ReadonlyMap<string, number>> | undefined {
    return this.#uses.get(`${protocol}/${port}`);
  }
}

/** Two uses of one port clash when their addresses are equal or one is 0.0.0.0 (SEMANTICS F.5, NodePorts). */
export const addressesClash = (ip: string, others: Iterable<string>): boolean => {
  for (const other of others) if (ip === any || other === any || ip === other) return true;
  return false;
};
