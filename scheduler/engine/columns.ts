/**
 * The cluster as columns: one row (slot) per node, typed arrays per resource, numbers for labels and taints, and indexes
 * of the pods. Plugins loop over these arrays. Everything is kept current by single steps as nodes and pods come, change
 * and go; `changes` tells standing results which rows to look at again. Rows are given out in order of arrival, so the
 * lowest row is the node known longest, and freed rows are used again.
 */
import type { Node, Pod, Taint } from '#api/kinds/core.ts';
import { assert } from '#base/assert.ts';
import { LabelColumn } from './label-column.ts';
import { NodeOrder } from './node-order.ts';
import { Nominations } from './nominations.ts';
import { type HeldTerm, type PlacedPod, PodIndex } from './pod-index.ts';
import { PortIndex } from './port-index.ts';
import { amountOf } from './requests.ts';
import { Room } from './room.ts';
import { type PodView, type Shape, viewOf } from './shape.ts';
import { ShapeTable } from './shape-table.ts';
import { Surroundings } from './surroundings.ts';

/** A pod on a node. */
export interface PlacedView extends PlacedPod {
  view: PodView;
  readonly nodeName: string;
  atNode: number;
}

/** Columns of these resources always exist. */
export const cpu = 0;
export const memory = 1;
export const ephemeralStorage = 2;

/** Up to this many bytes 100 times an amount is exact in a double. */
export const plainLimit = 9e13;

const logSize = 1 << 14;

export class Columns {
  /** Rows in use. */
  count = 0;
  capacity = 0;
  /** Changes whenever standing results must be dropped: rows were added to the arrays, or values were renumbered. */
  epoch = 0;
  /** Rows in use, ascending; valid up to `count`. */
  live: Uint32Array = new Uint32Array(0);
  readonly nodes: (Node | undefined)[] = [];
  readonly names: string[] = [];
  readonly resourceNames: string[] = ['cpu', 'memory', 'ephemeral-storage'];
  /** Per resource column: what the node has, what its pods ask for. Cpu in milli, else whole units. */
  readonly allocatable: Float64Array[] = [];
  readonly used: Float64Array[] = [];
  /** Always allocatable less used: the filter reads one array instead of two. */
  readonly free: Float64Array[] = [];
  nonZeroCpu: Float64Array = new Float64Array(0);
  nonZeroMemory: Float64Array = new Float64Array(0);
  podLimit: Float64Array = new Float64Array(0);
  podCount: Float64Array = new Float64Array(0);
  /** podLimit less podCount. */
  podRoom: Float64Array = new Float64Array(0);
  unschedulable: Uint8Array = new Uint8Array(0);
  /** Number of nodes that are unschedulable. */
  cordoned = 0;
  /** Nodes with so much memory, or none of cpu or memory, that scores need more than plain arithmetic. */
  readonly oddNodes = new Set<number>();
  /** Number of the node's list of taints in `taintLists`. */
  taints: Int32Array = new Int32Array(0);
  readonly taintLists: (readonly Taint[])[] = [[]];
  /** Pods on each node, in no particular order. */
  readonly podsOn: PlacedView[][] = [];
  readonly index = new PodIndex();
  readonly ports = new PortIndex();
  readonly order = new NodeOrder();
  readonly nominations = new Nominations();
  readonly room: Room = new Room(this);
  readonly surroundings: Surroundings;
  readonly shapes: ShapeTable;
  /** Position after the last entry of the change log. */
  logEnd = 0;
  /** Raised when any node object changed in a way that plugins can see, or came or went. */
  nodesRevision = 0;
  /** Raised when the images of a node changed, or the number of nodes. */
  imagesRevision = 0;
  readonly #log = new Int32Array(logSize);
  readonly #slotOf = new Map<string, number>();
  readonly #free: number[] = [];
  readonly #resourceOf = new Map<string, number>();
  readonly #taintListOf = new Map<string, number>([['[]', 0]]);
  readonly #labelColumns = new Map<string, LabelColumn>();
  readonly #placed = new Map<string, PlacedView>();
  /** Pods whose node is not known (yet), by node name. */
  readonly #strays = new Map<string, Set<PlacedView>>();
  readonly #images = new Map<string, { nodes: number; sizes: Map<number, number> }>();
  readonly #alive: boolean[] = [];

  readonly #renumberAfter: number;

  /** The options are for tests: the defaults suit clusters of any size. */
  constructor({ capacity = 64, renumberAfter = 1024 }: { capacity?: number; renumberAfter?: number } = {}) {
    this.#renumberAfter = renumberAfter;
    for (const name of this.resourceNames) this.resource(name);
    this.surroundings = new Surroundings(this.index);
    this.shapes = new ShapeTable(this);
    this.#grow(capacity);
  }

  /** The column of a resource, made when it is new. */
  resource(name: string): number {
    const known = this.#resourceOf.get(name);
    if (known !== undefined) return known;
    const column = this.allocatable.length;
    this.resourceNames[column] = name;
    this.#resourceOf.set(name, column);
    this.allocatable.push(new Float64Array(this.capacity));
    this.used.push(new Float64Array(this.capacity));
    this.free.push(new Float64Array(this.capacity));
    return column;
  }

  /** Row of a node, -1 when it is not known. */
  slotOf(name: string): number {
    return this.#slotOf.get(name) ?? -1;
  }

  isLive(slot: number): boolean {
    return this.#alive[slot] === true;
  }

  /** The numbers of a label key over all nodes, made when a pod first asks about the key. */
  labelColumn(key: string): LabelColumn {
    let column = this.#labelColumns.get(key);
    if (column === undefined) {
      column = new LabelColumn(key, this.capacity);
      this.#labelColumns.set(key, column);
      for (let i = 0; i < this.count; i++) {
        const slot = this.live[i]!;
        column.enter(slot, this.nodes[slot] as Node);
      }
    }
    return column;
  }

  /** Nodes that have an image, and its size on each. */
  image(name: string): { readonly nodes: number; readonly sizes: ReadonlyMap<number, number> } | undefined {
    return this.#images.get(name);
  }

  placed(key: string): PlacedView | undefined {
    return this.#placed.get(key);
  }

  get placedCount(): number {
    return this.#placed.size;
  }

  view(pod: Pod): PodView {
    return viewOf(pod, this.shapes.of(pod, false));
  }

  // ── nodes ──────────────────────────────────────────────────────────────────

  /** Adds a node or brings the one of this name up to date. True when a plugin can see the difference. */
  setNode(node: Node): boolean {
    const slot = this.#slotOf.get(node.metadata.name);
    return slot === undefined ? this.#addNode(node) : this.#updateNode(slot, node);
  }

  removeNode(name: string): void {
    const slot = this.#slotOf.get(name);
    if (slot === undefined) return;
    const node = this.nodes[slot] as Node;
    for (const pod of [...this.podsOn[slot]!]) {
      this.#detach(pod);
      this.#stray(pod);
    }
    for (const column of this.#labelColumns.values()) column.leave(slot);
    this.#countImages(slot, node, -1);
    this.order.remove(slot, node);
    this.#slotOf.delete(name);
    this.nodes[slot] = undefined;
    this.#alive[slot] = false;
    for (const column of this.allocatable) column[slot] = 0;
    this.podLimit[slot] = 0;
    this.#cordon(slot, false);
    this.oddNodes.delete(slot);
    this.#free.push(slot);
    this.count--;
    this.#listLive();
    this.#nodeChanged(slot);
    this.imagesRevision++;
  }

  #addNode(node: Node): boolean {
    if (this.#free.length === 0 && this.count === this.capacity) this.#grow(2 * this.capacity);
    const slot = this.#free.pop() ?? this.count;
    this.#slotOf.set(node.metadata.name, slot);
    this.names[slot] = node.metadata.name;
    this.podsOn[slot] = [];
    this.#alive[slot] = true;
    this.count++;
    if (slot === this.count - 1) this.live[slot] = slot;
    else this.#listLive();
    this.nodes[slot] = node;
    this.#writeNode(slot, node);
    for (const column of this.#labelColumns.values()) {
      column.enter(slot, node);
      if (column.isWasteful(this.#renumberAfter, this.count)) this.#renumber(column);
    }
    this.#countImages(slot, node, 1);
    this.imagesRevision++;
    this.order.add(slot, node);
    const strays = this.#strays.get(node.metadata.name);
    if (strays !== undefined) {
      this.#strays.delete(node.metadata.name);
      for (const pod of strays) this.#attach(pod, slot);
    }
    this.#nodeChanged(slot);
    return true;
  }

  #updateNode(slot: number, node: Node): boolean {
    const was = this.nodes[slot] as Node;
    this.nodes[slot] = node;
    if (was === node) return false;
    const moved = [...this.#labelColumns.values()].filter(column => column.intern(node) !== column.ids[slot]);
    const seen = visibleNode(was) !== visibleNode(node);
    if (!seen) return false;
    if (moved.length > 0) {
      this.index.countNode(slot, this.podsOn[slot]!, -1);
      for (const column of moved) {
        column.leave(slot);
        column.enter(slot, node);
      }
      this.index.countNode(slot, this.podsOn[slot]!, 1);
    }
    this.#writeNode(slot, node);
    if (JSON.stringify(was.status?.images) !== JSON.stringify(node.status?.images)) {
      this.#countImages(slot, was, -1);
      this.#countImages(slot, node, 1);
      this.imagesRevision++;
    }
    this.order.update(slot, was, node);
    this.#nodeChanged(slot);
    return true;
  }

  #writeNode(slot: number, node: Node): void {
    for (const column of this.allocatable) column[slot] = 0;
    this.podLimit[slot] = 0;
    const allocatable = node.status?.allocatable ?? {};
    for (const name in allocatable) {
      const amount = amountOf(name, allocatable[name] as string);
      if (name === 'pods') this.podLimit[slot] = amount;
      else this.allocatable[this.resource(name)]![slot] = amount;
    }
    for (let i = 0; i < this.free.length; i++) this.free[i]![slot] = this.allocatable[i]![slot]! - this.used[i]![slot]!;
    this.podRoom[slot] = this.podLimit[slot]! - this.podCount[slot]!;
    const [hasCpu, hasMemory] = [this.allocatable[cpu]![slot]!, this.allocatable[memory]![slot]!];
    if (hasCpu > 0 && hasMemory > 0 && hasMemory <= plainLimit) this.oddNodes.delete(slot);
    else this.oddNodes.add(slot);
    this.#cordon(slot, node.spec?.unschedulable === true);
    this.taints[slot] = this.#taintList(node.spec?.taints ?? []);
  }

  #cordon(slot: number, on: boolean): void {
    this.cordoned += (on ? 1 : 0) - this.unschedulable[slot]!;
    this.unschedulable[slot] = on ? 1 : 0;
  }

  #taintList(taints: readonly Taint[]): number {
    const key = JSON.stringify(taints.map(({ key, value, effect }) => [key, value ?? '', effect]));
    const known = this.#taintListOf.get(key);
    if (known !== undefined) return known;
    const id = this.taintLists.length;
    this.taintLists.push(taints);
    this.#taintListOf.set(key, id);
    return id;
  }

  #countImages(slot: number, node: Node, by: 1 | -1): void {
    for (const { names = [], sizeBytes = 0 } of node.status?.images ?? [])
      for (const name of names) {
        const image = this.#images.get(name) ?? { nodes: 0, sizes: new Map<number, number>() };
        if (by > 0) image.sizes.set(slot, sizeBytes);
        else image.sizes.delete(slot);
        image.nodes = image.sizes.size;
        if (image.nodes === 0) this.#images.delete(name);
        else this.#images.set(name, image);
      }
  }

  /** Gives the values that are in use numbers from 0 again. */
  #renumber(column: LabelColumn): void {
    const fresh = new LabelColumn(column.key, this.capacity);
    for (let i = 0; i < this.count; i++) fresh.enter(this.live[i]!, this.nodes[this.live[i]!] as Node);
    column.adopt(fresh);
    this.index.rebuildDomains();
    for (const held of this.index.heldTerms()) if (held.domain.column === column) this.#recountHeld(held);
    this.epoch++;
  }

  #recountHeld(held: HeldTerm): void {
    held.domain.clear();
    for (let i = 0; i < this.count; i++)
      for (const pod of this.podsOn[this.live[i]!]!)
        for (const other of pod.held) if (other === held) held.domain.add(pod.slot, 1);
  }

  #listLive(): void {
    let at = 0;
    for (let slot = 0; slot < this.capacity; slot++) if (this.#alive[slot]) this.live[at++] = slot;
  }

  #grow(capacity: number): void {
    this.capacity = capacity;
    for (const columns of [this.allocatable, this.used, this.free])
      for (let i = 0; i < columns.length; i++) columns[i] = longer(columns[i]!, capacity);
    this.nonZeroCpu = longer(this.nonZeroCpu, capacity);
    this.nonZeroMemory = longer(this.nonZeroMemory, capacity);
    this.podLimit = longer(this.podLimit, capacity);
    this.podCount = longer(this.podCount, capacity);
    this.podRoom = longer(this.podRoom, capacity);
    const unschedulable = new Uint8Array(capacity);
    unschedulable.set(this.unschedulable);
    this.unschedulable = unschedulable;
    const taints = new Int32Array(capacity);
    taints.set(this.taints);
    this.taints = taints;
    const live = new Uint32Array(capacity);
    live.set(this.live);
    this.live = live;
    for (const column of this.#labelColumns.values()) column.resize(capacity);
    this.index.resize(capacity);
    this.epoch++;
  }

  // ── pods ───────────────────────────────────────────────────────────────────

  /** Puts a pod on the node that `spec.nodeName` says (or `nodeName`, for a pod that is about to be bound). */
  addPod(pod: Pod, nodeName: string = pod.spec.nodeName ?? ''): PlacedView {
    return this.placeView(viewOf(pod, this.shapes.of(pod, true)), nodeName);
  }

  /** As addPod, for a pod that was just scheduled. */
  placeView(view: PodView, nodeName: string): PlacedView {
    assert(!this.#placed.has(view.key), `pod ${view.key} is placed already`);
    const { labelSet, held } = view.shape;
    const pod: PlacedView = {
      view,
      nodeName,
      slot: -1,
      labelSet,
      terminating: view.terminating,
      held,
      atLabelSet: -1,
      atNode: -1,
    };
    view.shape.users++;
    this.#placed.set(view.key, pod);
    const slot = this.#slotOf.get(nodeName);
    if (slot === undefined) this.#stray(pod);
    else this.#attach(pod, slot);
    return pod;
  }

  /**
   * Brings a placed pod up to date. Returns it as it was and is when plugins can see the difference, undefined when not.
   */
  updatePod(pod: Pod): { readonly was: PlacedView; readonly now: PlacedView } | undefined {
    const view = viewOf(pod, this.shapes.of(pod, true));
    const was = this.#placed.get(view.key);
    const nodeName = pod.spec.nodeName ?? '';
    assert(was !== undefined, `pod ${view.key} is not placed`);
    const isSame =
      was.nodeName === nodeName &&
      was.view.shape === view.shape &&
      was.terminating === view.terminating &&
      was.view.priority === view.priority &&
      was.view.startMs === view.startMs;
    if (isSame) {
      was.view = view;
      return undefined;
    }
    this.removePod(view.key);
    return { was, now: this.placeView(view, nodeName) };
  }

  removePod(key: string): PlacedView | undefined {
    const pod = this.#placed.get(key);
    if (pod === undefined) return undefined;
    this.#placed.delete(key);
    pod.view.shape.users--;
    if (pod.slot >= 0) this.#detach(pod);
    else {
      this.index.leave(pod);
      const strays = this.#strays.get(pod.nodeName);
      strays?.delete(pod);
      if (strays?.size === 0) this.#strays.delete(pod.nodeName);
    }
    return pod;
  }

  #stray(pod: PlacedView): void {
    let strays = this.#strays.get(pod.nodeName);
    if (strays === undefined) {
      strays = new Set();
      this.#strays.set(pod.nodeName, strays);
    }
    strays.add(pod);
    this.index.enter(pod);
  }

  #attach(pod: PlacedView, slot: number): void {
    if (pod.atLabelSet >= 0) this.index.leave(pod);
    pod.slot = slot;
    const pods = this.podsOn[slot]!;
    pod.atNode = pods.length;
    pods.push(pod);
    this.index.enter(pod);
    this.#use(pod.view.shape, slot, 1);
  }

  #detach(pod: PlacedView): void {
    const { slot } = pod;
    this.index.leave(pod);
    pod.atLabelSet = -1;
    const pods = this.podsOn[slot]!;
    const last = pods.pop() as PlacedView;
    if (last !== pod) {
      pods[pod.atNode] = last;
      last.atNode = pod.atNode;
    }
    this.#use(pod.view.shape, slot, -1);
    pod.slot = -1;
  }

  #use(shape: Shape, slot: number, sign: 1 | -1): void {
    const { columns, amounts, requests } = shape.usage;
    for (let i = 0; i < columns.length; i++) {
      const amount = sign * amounts[i]!;
      this.used[columns[i]!]![slot]! += amount;
      this.free[columns[i]!]![slot]! -= amount;
    }
    this.nonZeroCpu[slot]! += sign * requests.nonZeroCpuMilli;
    this.nonZeroMemory[slot]! += sign * requests.nonZeroMemoryBytes;
    this.podCount[slot]! += sign;
    this.podRoom[slot]! -= sign;
    if (shape.ports.length > 0) this.ports.count(slot, shape.ports, sign);
    this.#changed(slot << 1);
  }

  // ── change log ─────────────────────────────────────────────────────────────

  #nodeChanged(slot: number): void {
    this.nodesRevision++;
    this.#changed((slot << 1) | 1);
  }

  #changed(entry: number): void {
    this.#log[this.logEnd & (logSize - 1)] = entry;
    this.logEnd++;
  }

  /** True when the log still has everything since `cursor`. */
  remembers(cursor: number): boolean {
    return this.logEnd - cursor <= logSize;
  }

  /** An entry of the log: `slot << 1`, plus 1 when the node object changed. */
  logAt(position: number): number {
    return this.#log[position & (logSize - 1)]!;
  }
}

const longer = (array: Float64Array, length: number): Float64Array => {
  const larger = new Float64Array(length);
  larger.set(array);
  return larger;
};

/** What plugins can see of a node; heartbeats and conditions are not in it. */
const visibleNode = (node: Node): string =>
  JSON.stringify([
    node.metadata.labels,
    node.spec?.unschedulable,
    node.spec?.taints,
    node.status?.allocatable,
    node.status?.images,
  ]);
