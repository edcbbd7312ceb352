/**
 * A cluster in thought: the engine's columns, changed step by step, with every step remembered so that it can be taken
 * back. A question such as "what if this node were lost" is asked of the same columns as the last one, not of a copy.
 */
import type { Node, Pod } from '#api/kinds/core.ts';
import type { Columns } from '../columns.ts';
import type { PodView } from '../shape.ts';

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
    const was = this.columns.placed(this.columns.view(pod).key)?.view.pod;
    const changed = this.columns.updatePod(pod);
    if (was !== undefined) this.#undo.push(() => void this.columns.updatePod(was));
    return changed;
  }

  remove(key: string): ReturnType<Columns['removePod']> {
    const removed = this.columns.removePod(key);
    if (removed !== undefined)
      this.#undo.push(() => {
        this.columns.shapes.revive(removed.view.shape);
        this.columns.placeView(removed.view, removed.nodeName);
      });
    return removed;
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
