/**
 * The cluster as the engine sees it: one row (slot) per node, and columns over the rows (amounts per resource, numbers for
 * labels and taints) that plugins loop over, with indexes of the pods. Everything is kept current by single steps as nodes
 * and pods come, change and go; `log` tells those who keep results per row which to look at again.
 */
import type { Node, Pod, Taint } from '#api/kinds/core.ts';
import { assert } from '#base/assert.ts';
import { type PodView, viewOf } from '../shapes/shape.ts';
import { ShapeTable } from '../shapes/shape-table.ts';
import { ChangeLog } from './change-log.ts';
import { ImageIndex } from './image-index.ts';
import type { LabelColumn } from './label-column.ts';
import { LabelColumns } from './label-columns.ts';
import type { PlacedPod } from './label-set.ts';
import { NodeOrder } from './node-order.ts';
import { NodeRows } from './node-rows.ts';
import { Nominations } from './nominations.ts';
import { Placements } from './placements.ts';
import type { PodIndex } from './pod-index.ts';
import type { PortIndex } from './port-index.ts';
import { ResourceColumns } from './resource-columns.ts';
import { Room } from './room.ts';
import { Surroundings } from './surroundings.ts';
import { TaintColumns } from './taint-columns.ts';

/** A pod on a node. */
export interface PlacedView extends PlacedPod {
  view: PodView;
  readonly nodeName: string;
  /** Where it stands in `podsOn` of its row. */
  atNode: number;
}

/** Arrays that getters give must not be kept: they are replaced when the cluster outgrows them, and `epoch` then changes. */
export class Columns {
  readonly #rows = new NodeRows();
  readonly resources = new ResourceColumns();
  readonly images = new ImageIndex();
  readonly order = new NodeOrder();
  readonly nominations = new Nominations();
  readonly log = new ChangeLog();
  readonly surroundings: Surroundings;
  readonly shapes: ShapeTable;
  readonly room: Room;
  readonly #labels = new LabelColumns(this.#rows);
  readonly #marks = new TaintColumns();
  readonly #placements: Placements;
  readonly #renumberAfter: number;
  #epoch = 0;

  /** The options are for tests: the defaults suit clusters of any size. */
  constructor({ capacity = 64, renumberAfter = 1024 }: { capacity?: number; renumberAfter?: number } = {}) {
    this.#renumberAfter = renumberAfter;
    this.#placements = new Placements(this.#rows, this.resources, this.log);
    this.surroundings = new Surroundings(this.index);
    this.shapes = new ShapeTable(this);
    this.room = new Room(this);
    this.#resize(capacity);
  }

  // ── what plugins read ──────────────────────────────────────────────────────

  /** Rows in use. */
  get count(): number {
    return this.#rows.count;
  }

  /** Rows that there are: as long as every array over rows. */
  get capacity(): number {
    return this.#rows.capacity;
  }

  /** Rows in use, ascending; valid up to `count`. */
  get live(): Uint32Array {
    return this.#rows.live;
  }

  isLive(slot: number): boolean {
    return this.#rows.isLive(slot);
  }

  /** Row of a node, -1 when it is not known. */
  slotOf(name: string): number {
    return this.#rows.slotOf(name);
  }

  /** By row; undefined where there is no node. */
  get nodes(): readonly (Node | undefined)[] {
    return this.#rows.nodes;
  }

  get names(): readonly string[] {
    return this.#rows.names;
  }

  /** The column of a resource, made when it is new. */
  resource(name: string): number {
    return this.resources.column(name);
  }

  get resourceNames(): readonly string[] {
    return this.resources.names;
  }

  /** By column of the resource, then by row: what the node has. Cpu in milli, else whole units. */
  get allocatable(): readonly Float64Array[] {
    return this.resources.allocatable;
  }

  /** The same: what the pods on it ask for. */
  get used(): readonly Float64Array[] {
    return this.resources.used;
  }

  get podLimit(): Float64Array {
    return this.resources.podLimit;
  }

  get podCount(): Float64Array {
    return this.resources.podCount;
  }

  /** By row: 1 when the node is cordoned. */
  get unschedulable(): Uint8Array {
    return this.#marks.unschedulable;
  }

  /** Number of nodes that are cordoned. */
  get cordoned(): number {
    return this.#marks.cordoned;
  }

  /** By row: number of the node's list of taints in `taintLists`; 0 is the empty list. */
  get taints(): Int32Array {
    return this.#marks.taints;
  }

  get taintLists(): readonly (readonly Taint[])[] {
    return this.#marks.lists;
  }

  /** The numbers of a label key over all nodes, made when a pod first asks about the key. */
  labelColumn(key: string): LabelColumn {
    return this.#labels.of(key);
  }

  /** By row: the pods on the node, in no particular order. */
  get podsOn(): readonly PlacedView[][] {
    return this.#placements.on;
  }

  get index(): PodIndex {
    return this.#placements.index;
  }

  get ports(): PortIndex {
    return this.#placements.ports;
  }

  /** By `namespace/name`. */
  placed(key: string): PlacedView | undefined {
    return this.#placements.get(key);
  }

  get placedCount(): number {
    return this.#placements.size;
  }

  /** Changes whenever everything kept about these columns must be dropped: arrays were replaced, or values renumbered. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Has everything that is kept about these columns dropped. */
  invalidate(): void {
    this.#epoch++;
  }

  /** A pod that is to be placed, as the engine sees it. */
  view(pod: Pod): PodView {
    return viewOf(pod, this.shapes.of(pod, false));
  }

  // ── nodes ──────────────────────────────────────────────────────────────────

  /** Adds a node or brings the one of this name up to date. True when a plugin can see the difference. */
  setNode(node: Node): boolean {
    const slot = this.slotOf(node.metadata.name);
    if (slot >= 0) return this.#updateNode(slot, node);
    this.#addNode(node);
    return true;
  }

  #addNode(node: Node): void {
    if (this.#rows.isFull) this.#resize(2 * this.capacity);
    const slot = this.#rows.add(node);
    this.resources.setAllocatable(slot, node.status?.allocatable ?? {});
    this.#marks.set(slot, node);
    this.#labels.enter(slot, node);
    this.images.add(slot, node);
    this.order.add(slot, node);
    this.#placements.nodeAdded(slot, node.metadata.name);
    this.#renumberWasteful();
    this.log.nodeChanged(slot);
  }

  #updateNode(slot: number, node: Node): boolean {
    const was = this.nodes[slot] as Node;
    this.#rows.nodes[slot] = node;
    if (was === node || visibleParts(was) === visibleParts(node)) return false;
    this.#relabel(slot, node);
    this.resources.setAllocatable(slot, node.status?.allocatable ?? {});
    this.#marks.set(slot, node);
    this.images.update(slot, was, node);
    this.order.update(slot, was, node);
    this.#renumberWasteful();
    this.log.nodeChanged(slot);
    return true;
  }

  #relabel(slot: number, node: Node): void {
    const changing = this.#labels.changing(slot, node);
    if (changing.length === 0) return;
    this.index.countNode(slot, this.podsOn[slot]!, -1);
    for (const column of changing) {
      column.leave(slot);
      column.enter(slot, node);
    }
    this.index.countNode(slot, this.podsOn[slot]!, 1);
  }

  #renumberWasteful(): void {
    for (const column of this.#labels.renumberWasteful(this.#renumberAfter)) {
      this.index.renumbered(column);
      this.invalidate();
    }
  }

  removeNode(name: string): void {
    const slot = this.slotOf(name);
    if (slot < 0) return;
    const node = this.nodes[slot] as Node;
    this.#placements.nodeRemoved(slot);
    this.resources.clear(slot);
    this.#marks.clear(slot);
    this.#labels.leave(slot);
    this.images.remove(slot, node);
    this.order.remove(slot, node);
    this.#rows.remove(slot);
    this.log.nodeChanged(slot);
  }

  #resize(capacity: number): void {
    this.#rows.resize(capacity);
    this.resources.resize(capacity);
    this.#marks.resize(capacity);
    this.#labels.resize(capacity);
    this.index.resize(capacity);
    this.invalidate();
  }

  // ── pods ───────────────────────────────────────────────────────────────────

  /** Puts a pod on the node that `spec.nodeName` says (or `nodeName`, for a pod that is about to be bound). */
  addPod(pod: Pod, nodeName: string = pod.spec.nodeName ?? ''): PlacedView {
    return this.placeView(viewOf(pod, this.shapes.of(pod, true)), nodeName);
  }

  /** As addPod, for a pod that was just scheduled. */
  placeView(view: PodView, nodeName: string): PlacedView {
    return this.#placements.place(view, nodeName);
  }

  /**
   * Brings a placed pod up to date. Returns it as it was and is when plugins can see the difference, undefined when not.
   */
  updatePod(pod: Pod): { readonly was: PlacedView; readonly now: PlacedView } | undefined {
    const view = viewOf(pod, this.shapes.of(pod, true));
    const was = this.placed(view.key);
    const nodeName = pod.spec.nodeName ?? '';
    assert(was !== undefined, `pod ${view.key} is not placed`);
    if (was.nodeName === nodeName && looksTheSame(was.view, view)) {
      was.view = view;
      return undefined;
    }
    this.removePod(view.key);
    return { was, now: this.placeView(view, nodeName) };
  }

  /** The pod as it was; undefined when it was not placed. */
  removePod(key: string): PlacedView | undefined {
    return this.#placements.remove(key);
  }
}

/** What plugins can see of a node; heartbeats and conditions are not in it. */
const visibleParts = (node: Node): string =>
  JSON.stringify([
    node.metadata.labels,
    node.spec?.unschedulable,
    node.spec?.taints,
    node.status?.allocatable,
    node.status?.images,
  ]);

const looksTheSame = (a: PodView, b: PodView): boolean =>
  a.shape === b.shape && a.terminating === b.terminating && a.priority === b.priority && a.startMs === b.startMs;
