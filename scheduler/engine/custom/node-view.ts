/** A node as a custom plugin sees it: the object, the pods on it, and what they leave free. */
import type { Node, Pod } from '#api/kinds/core.ts';
import type { Columns } from '../columns/columns.ts';
import type { PodView } from '../shapes/shape.ts';

/** Amounts are whole numbers: cpu in milli, everything else in whole units (bytes, pieces). */
export interface NodeView {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The Node object; not to be changed. */
  readonly object: Node;
  /** The pods on it, those about to be bound there included; not to be changed. */
  readonly pods: readonly Pod[];
  /** What the node has of a resource (`cpu`, `memory`, `example.com/gpu`); 0 of one it does not know. */
  allocatable(resource: string): number;
  /** What its pods ask for. */
  requested(resource: string): number;
  /** What is left; negative on an overcommitted node. */
  free(resource: string): number;
}

/** One row of the columns, with pods put on and taken off in thought. */
export class RowView implements NodeView {
  readonly #columns: Columns;
  readonly #slot: number;
  readonly #added = new Map<string, PodView>();
  readonly #removed = new Map<string, PodView>();

  constructor(columns: Columns, slot: number) {
    this.#columns = columns;
    this.#slot = slot;
  }

  get name(): string {
    return this.#columns.names[this.#slot]!;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.object.metadata.labels ?? none;
  }

  get object(): Node {
    return this.#columns.nodes[this.#slot] as Node;
  }

  get pods(): readonly Pod[] {
    const here = this.#columns.podsOn[this.#slot]!.filter(({ view }) => !this.#removed.has(view.key));
    return [...here.map(({ view }) => view.pod), ...[...this.#added.values()].map(({ pod }) => pod)];
  }

  allocatable(resource: string): number {
    if (resource === 'pods') return this.#columns.podLimit[this.#slot]!;
    return this.#columns.allocatable[this.#columns.resource(resource)]![this.#slot]!;
  }

  requested(resource: string): number {
    const sumOf = (pods: ReadonlyMap<string, PodView>, of: (pod: PodView) => number): number => {
      let sum = 0;
      for (const pod of pods.values()) sum += of(pod);
      return sum;
    };
    const amount = ({ shape }: PodView): number =>
      resource === 'pods' ? 1 : (shape.usage.requests.amounts.get(resource) ?? 0);
    const stands =
      resource === 'pods'
        ? this.#columns.podCount[this.#slot]!
        : this.#columns.used[this.#columns.resource(resource)]![this.#slot]!;
    return stands + sumOf(this.#added, amount) - sumOf(this.#removed, amount);
  }

  free(resource: string): number {
    return this.allocatable(resource) - this.requested(resource);
  }

  add(pod: PodView): void {
    if (!this.#removed.delete(pod.key)) this.#added.set(pod.key, pod);
  }

  remove(pod: PodView): void {
    if (!this.#added.delete(pod.key)) this.#removed.set(pod.key, pod);
  }
}

const none: Readonly<Record<string, string>> = {};
