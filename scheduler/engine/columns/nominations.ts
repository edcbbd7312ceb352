/** Pods that wait for room on a node that was made, or is being made, for them: they count there as if placed (SEMANTICS F.7). */
import type { PodView } from '../shapes/shape.ts';

/** At most one nomination per pod. */
export class Nominations {
  readonly #byNode = new Map<string, PodView[]>();
  readonly #nodeOf = new Map<string, string>();

  get size(): number {
    return this.#nodeOf.size;
  }

  /** Replaces an earlier nomination of the pod. */
  set(pod: PodView, nodeName: string): void {
    this.remove(pod.key);
    const pods = this.#byNode.get(nodeName);
    if (pods === undefined) this.#byNode.set(nodeName, [pod]);
    else pods.push(pod);
    this.#nodeOf.set(pod.key, nodeName);
  }

  remove(key: string): void {
    const nodeName = this.#nodeOf.get(key);
    if (nodeName === undefined) return;
    this.#nodeOf.delete(key);
    const left = (this.#byNode.get(nodeName) ?? []).filter(pod => pod.key !== key);
    if (left.length === 0) this.#byNode.delete(nodeName);
    else this.#byNode.set(nodeName, left);
  }

  nodeOf(key: string): string | undefined {
    return this.#nodeOf.get(key);
  }

  nodeNames(): Iterable<string> {
    return this.#byNode.keys();
  }

  on(nodeName: string): readonly PodView[] {
    return this.#byNode.get(nodeName) ?? none;
  }

  /** Those that a pod must leave room for: nominated to the node, of at least its priority, and not the pod itself. */
  before(pod: PodView, nodeName: string): readonly PodView[] {
    const pods = this.#byNode.get(nodeName);
    if (pods === undefined) return none;
    return pods.filter(other => other.priority >= pod.priority && other.key !== pod.key);
  }
}

const none: readonly PodView[] = [];
