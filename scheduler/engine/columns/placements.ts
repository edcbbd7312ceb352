/**
 * Which pods are on which node. A pod that is placed counts at its node at once: in the resources used, in the host ports,
 * in the index of who matches what. A pod whose node is not known (yet) is a stray: listed, and counted when the node comes.
 */
import { assert } from '#base/assert.ts';
import type { PodView, Shape } from '../shapes/shape.ts';
import type { ChangeLog } from './change-log.ts';
import type { PlacedView } from './columns.ts';
import type { NodeRows } from './node-rows.ts';
import { PodIndex } from './pod-index.ts';
import { PortIndex } from './port-index.ts';
import type { ResourceColumns } from './resource-columns.ts';

/** Pods by `namespace/name`, each at most once. */
export class Placements {
  /** By row: the pods on the node, in no particular order. */
  readonly on: PlacedView[][] = [];
  readonly index = new PodIndex();
  readonly ports = new PortIndex();
  readonly #rows: NodeRows;
  readonly #resources: ResourceColumns;
  readonly #log: ChangeLog;
  readonly #byKey = new Map<string, PlacedView>();
  /** By name of the node. */
  readonly #strays = new Map<string, Set<PlacedView>>();

  constructor(rows: NodeRows, resources: ResourceColumns, log: ChangeLog) {
    this.#rows = rows;
    this.#resources = resources;
    this.#log = log;
  }

  /** Placed pods, strays included. */
  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): PlacedView | undefined {
    return this.#byKey.get(key);
  }

  /** Throws when the pod is placed already. */
  place(view: PodView, nodeName: string): PlacedView {
    assert(!this.#byKey.has(view.key), `pod ${view.key} is placed already`);
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
    this.#byKey.set(view.key, pod);
    const slot = this.#rows.slotOf(nodeName);
    if (slot < 0) this.#stray(pod);
    else this.#attach(pod, slot);
    return pod;
  }

  /** The pod as it was; undefined when it was not placed. */
  remove(key: string): PlacedView | undefined {
    const pod = this.#byKey.get(key);
    if (pod === undefined) return undefined;
    this.#byKey.delete(key);
    pod.view.shape.users--;
    if (pod.slot >= 0) this.#detach(pod);
    else this.#forgetStray(pod);
    return pod;
  }

  /** A node came: its pods may have come before it. */
  nodeAdded(slot: number, name: string): void {
    this.on[slot] = [];
    const strays = this.#strays.get(name);
    if (strays === undefined) return;
    this.#strays.delete(name);
    for (const pod of strays) {
      this.index.leave(pod);
      this.#attach(pod, slot);
    }
  }

  /** A node goes: its pods stay until they are removed too, as in a cluster. */
  nodeRemoved(slot: number): void {
    for (const pod of [...this.on[slot]!]) {
      this.#detach(pod);
      this.#stray(pod);
    }
  }

  #stray(pod: PlacedView): void {
    const strays = this.#strays.get(pod.nodeName);
    if (strays === undefined) this.#strays.set(pod.nodeName, new Set([pod]));
    else strays.add(pod);
    this.index.enter(pod);
  }

  #forgetStray(pod: PlacedView): void {
    this.index.leave(pod);
    const strays = this.#strays.get(pod.nodeName);
    strays?.delete(pod);
    if (strays?.size === 0) this.#strays.delete(pod.nodeName);
  }

  #attach(pod: PlacedView, slot: number): void {
    pod.slot = slot;
    const pods = this.on[slot]!;
    pod.atNode = pods.length;
    pods.push(pod);
    this.index.enter(pod);
    this.#use(pod.view.shape, slot, 1);
  }

  #detach(pod: PlacedView): void {
    const { slot } = pod;
    this.index.leave(pod);
    const pods = this.on[slot]!;
    const last = pods.pop() as PlacedView;
    if (last !== pod) {
      pods[pod.atNode] = last;
      last.atNode = pod.atNode;
    }
    this.#use(pod.view.shape, slot, -1);
    pod.slot = -1;
  }

  #use({ usage, ports }: Shape, slot: number, sign: 1 | -1): void {
    this.#resources.use(slot, usage, sign);
    if (ports.length > 0) this.ports.count(slot, ports, sign);
    this.#log.podsChanged(slot);
  }
}
