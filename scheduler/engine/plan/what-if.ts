/**
 * A cluster in thought: the engine's columns, changed step by step, with every step remembered so that it can be taken
 * back. A question such as "what if this node were lost" is asked of the same columns as the last one, not of a copy.
 */
import type { Node, Pod } from '#api/kinds/core.ts';
import { must } from '#base/assert.ts';
import type { Columns, PlacedView } from '../columns/columns.ts';
import type { PodView } from '../shapes/shape.ts';
import { podKey } from '../world.ts';

export class WhatIf {
  readonly columns: Columns;
  readonly #undo: (() => void)[] = [];

  /** Takes the columns over: nobody else may change them. */
  constructor(columns: Columns) {
    this.columns = columns;
  }

  /** Where `rollback` can come back to. */
  get mark(): number {
    return this.#undo.length;
  }

  rollback(mark: number): void {
    while (this.#undo.length > mark) (this.#undo.pop() as () => void)();
  }

  place(view: PodView, nodeName: string): void {
    this.nominate(view, '');
    this.columns.placeView(view, nodeName);
    this.#undo.push(() => void this.columns.removePod(view.key));
  }

  /** Replaces a placed pod by a newer version of it; what the engine sees of both, or undefined when nothing. */
  update(pod: Pod): ReturnType<Columns['updatePod']> {
    const placed = must(this.columns.placed(podKey(pod)), 'the pod is placed');
    const { view, atNode, nodeName } = placed;
    const changed = this.columns.updatePod(pod);
    this.#undo.push(() => {
      if (changed === undefined) placed.view = view;
      else {
        this.columns.removePod(view.key);
        this.#putBack(view, nodeName, atNode);
      }
    });
    return changed;
  }

  remove(key: string): PlacedView | undefined {
    const removed = this.columns.removePod(key);
    if (removed !== undefined) this.#undo.push(() => this.#putBack(removed.view, removed.nodeName, removed.atNode));
    return removed;
  }

  /** Where it was among the pods of its node, because among equals the order decides. */
  #putBack(view: PodView, nodeName: string, atNode: number): void {
    this.columns.shapes.revive(view.shape);
    const placed = this.columns.placeView(view, nodeName);
    const pods = this.columns.podsOn[placed.slot];
    const other = pods?.[atNode];
    if (pods === undefined || other === undefined) return;
    pods[placed.atNode] = other;
    pods[atNode] = placed;
    other.atNode = placed.atNode;
    placed.atNode = atNode;
  }

  /** '' takes the nomination back. */
  nominate(view: PodView, nodeName: string): void {
    const { nominations } = this.columns;
    const was = nominations.nodeOf(view.key);
    if (was === undefined && nodeName === '') return;
    const before = was === undefined ? undefined : nominations.on(was).find(({ key }) => key === view.key);
    nominations.remove(view.key);
    if (nodeName !== '') nominations.set({ ...view, nominatedNodeName: nodeName }, nodeName);
    this.#undo.push(() => {
      nominations.remove(view.key);
      if (before !== undefined && was !== undefined) nominations.set(before, was);
    });
  }

  setNode(node: Node): void {
    const was = this.node(node.metadata.name);
    this.columns.setNode(node);
    this.#undo.push(() => {
      if (was === undefined) this.columns.removeNode(node.metadata.name);
      else this.columns.setNode(was);
    });
  }

  removeNode(name: string): void {
    const was = this.node(name);
    if (was === undefined) return;
    this.columns.removeNode(name);
    this.#undo.push(() => void this.columns.setNode(was));
  }

  node(name: string): Node | undefined {
    const slot = this.columns.slotOf(name);
    return slot < 0 ? undefined : this.columns.nodes[slot];
  }

  /** Nodes in the order in which they came. */
  nodes(): readonly Node[] {
    const { columns } = this;
    return Array.from(columns.live.subarray(0, columns.count), slot => columns.nodes[slot] as Node);
  }

  /** Pods on a node, by name. */
  podsOn(nodeName: string): readonly Pod[] {
    const slot = this.columns.slotOf(nodeName);
    if (slot < 0) return [];
    const views = this.columns.podsOn[slot]!.map(({ view }) => view);
    return views.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ pod }) => pod);
  }
}
