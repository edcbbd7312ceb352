/**
 * The order in which upstream looks at nodes: grouped by zone, zones and the nodes in each in order of arrival, taken
 * round-robin over the zones (SEMANTICS F.4). It matters only where not all nodes are looked at; then each pod's turn begins
 * where the one before it ended, whatever their profiles.
 */
import type { Node } from '#api/kinds/core.ts';

/** Told of every node that comes, changes or goes. */
export class NodeOrder {
  /** Where in the list the next pod's turn begins. */
  start = 0;
  readonly #zones = new Map<string, number[]>();
  #list: readonly number[] | undefined;

  add(slot: number, node: Node): void {
    const zone = zoneKeyOf(node);
    const slots = this.#zones.get(zone);
    if (slots === undefined) this.#zones.set(zone, [slot]);
    else slots.push(slot);
    this.#list = undefined;
  }

  remove(slot: number, node: Node): void {
    const zone = zoneKeyOf(node);
    const slots = this.#zones.get(zone) ?? [];
    const left = slots.filter(other => other !== slot);
    if (left.length === 0) this.#zones.delete(zone);
    else this.#zones.set(zone, left);
    this.#list = undefined;
  }

  update(slot: number, was: Node, now: Node): void {
    if (zoneKeyOf(was) === zoneKeyOf(now)) return;
    this.remove(slot, was);
    this.add(slot, now);
  }

  /** So many of `nodes` nodes were looked at. */
  moveOn(looked: number, nodes: number): void {
    if (nodes > 0) this.start = (this.start + looked) % nodes;
  }

  /** All rows in upstream's order. */
  list(): readonly number[] {
    if (this.#list !== undefined) return this.#list;
    const zones = [...this.#zones.values()];
    const list: number[] = [];
    const longest = zones.reduce((most, zone) => Math.max(most, zone.length), 0);
    for (let i = 0; i < longest; i++) for (const zone of zones) if (i < zone.length) list.push(zone[i]!);
    this.#list = list;
    return list;
  }
}

const zoneKeyOf = (node: Node): string => {
  const labels = node.metadata.labels ?? {};
  const zone = labels['failure-domain.beta.kubernetes.io/zone'] ?? labels['topology.kubernetes.io/zone'] ?? '';
  const region = labels['failure-domain.beta.kubernetes.io/region'] ?? labels['topology.kubernetes.io/region'] ?? '';
  return zone === '' && region === '' ? '' : `${region}:\x00:${zone}`;
};
