/**
 * Refused pods that wait for a change that could make them fit (upstream: unschedulablePods). Pods that every change means
 * the same to, of one shape and refused by the same plugins, are one group and are asked about a change together.
 */
import type { QueuedPod } from './queue.ts';

interface Group {
  readonly key: string;
  readonly pods: Map<string, QueuedPod>;
}

/** Each pod at most once. */
export class ParkedPods {
  readonly #groups = new Map<string, Group>();
  readonly #groupOf = new Map<string, Group>();

  get size(): number {
    return this.#groupOf.size;
  }

  /** A pod that is not here yet; its shape and `refusedBy` stay as they are until it is removed. */
  set(pod: QueuedPod): void {
    const key = `${pod.refusedBy.join(',')} ${pod.view.shape.key}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { key, pods: new Map() };
      this.#groups.set(key, group);
    }
    group.pods.set(pod.view.key, pod);
    this.#groupOf.set(pod.view.key, group);
  }

  remove(key: string): void {
    const group = this.#groupOf.get(key);
    if (group === undefined) return;
    this.#groupOf.delete(key);
    group.pods.delete(key);
    if (group.pods.size === 0) this.#groups.delete(group.key);
  }

  /** The pods of the groups that `isMeant` says yes to for one of them, as they are now. */
  those(isMeant: (sample: QueuedPod) => boolean): readonly QueuedPod[] {
    const found: QueuedPod[] = [];
    for (const { pods } of this.#groups.values()) {
      const [sample] = pods.values();
      if (sample !== undefined && isMeant(sample)) found.push(...pods.values());
    }
    return found;
  }

  /** All of them, as they are now. */
  all(): readonly QueuedPod[] {
    return this.those(() => true);
  }
}
