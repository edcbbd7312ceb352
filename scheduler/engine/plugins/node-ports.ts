/** NodePorts: no pod on the node may use a host port that the pod asks for (SEMANTICS F.5). */
import type { Columns } from '../columns/columns.ts';
import { addressesClash } from '../columns/port-index.ts';
import type { FilterPlugin, Trial } from '../plugin.ts';
import type { HostPort, PodView } from '../shapes/shape.ts';

/** Pods without host ports pass everywhere. */
export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  scope: 'usage',
  reasons: [{ text: "node(s) didn't have free ports for the requested pod ports", unresolvable: false }],
  prepare({ ports }, columns) {
    if (ports.length === 0) return undefined;
    return {
      check(nodes, count, verdict) {
        let refused = false;
        for (const port of ports) {
          const users = columns.ports.users(port);
          if (users === undefined) continue;
          for (let i = 0; i < count; i++) {
            const addresses = users.get(nodes[i]!);
            if (addresses === undefined || !addressesClash(port.ip, addresses.keys())) continue;
            verdict[nodes[i]!] = 1;
            refused = true;
          }
        }
        return refused;
      },
      trial: () => new PortTrial(ports, columns),
    };
  },
  wokenBy: {
    nodeAdded: () => true,
    podRemoved: (pod, change) => change.type === 'podRemoved' && clash(pod.shape.ports, change.pod.view.shape.ports),
  },
};

const clash = (a: readonly HostPort[], b: readonly HostPort[]): boolean =>
  a.some(one =>
    b.some(other => one.port === other.port && one.protocol === other.protocol && addressesClash(one.ip, [other.ip])),
  );

const keyOf = ({ protocol, port, ip }: HostPort): string => `${protocol}/${port}/${ip}`;

/** Upstream keeps a plain set of used ports in its copy of a node: a port is free as soon as one of its users is taken off. */
class PortTrial implements Trial {
  readonly #wanted: readonly HostPort[];
  readonly #columns: Columns;
  readonly #used = new Map<string, HostPort>();

  constructor(wanted: readonly HostPort[], columns: Columns) {
    this.#wanted = wanted;
    this.#columns = columns;
  }

  reset(node: number): void {
    this.#used.clear();
    for (const pod of this.#columns.podsOn[node] ?? []) this.add(pod.view);
  }

  add(pod: PodView): void {
    for (const port of pod.shape.ports) this.#used.set(keyOf(port), port);
  }

  remove(pod: PodView): void {
    for (const port of pod.shape.ports) this.#used.delete(keyOf(port));
  }

  verdict(): number {
    return clash(this.#wanted, [...this.#used.values()]) ? 1 : 0;
  }
}
