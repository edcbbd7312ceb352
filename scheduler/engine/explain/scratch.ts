/**
 * Columns to try changes on: the changes are made, the pod is scheduled, and everything is put back. The columns belong to
 * whoever asks the question; while a change is being tried nobody else may read them.
 */
import type { Node } from '#api/kinds/core.ts';
import type { Columns } from '../columns/columns.ts';
import { preempt } from '../preemption/preempt.ts';
import type { Profile } from '../profile.ts';
import { schedule } from '../schedule.ts';
import type { PodView } from '../shapes/shape.ts';
import { applyEdits, type Edited } from './apply-edits.ts';
import type { Edit, NamedPod } from './edit.ts';

export interface Tried {
  /** Where the pod would go: any of equally good nodes. */
  readonly node: string;
  /** Pods that would be pushed out first. */
  readonly victims: readonly NamedPod[];
}

export class Scratch {
  readonly #pod: PodView;
  readonly #columns: Columns;
  readonly #profile: Profile;
  readonly #nowMs: number;
  /** Changes that were tried. */
  tries = 0;

  constructor(pod: PodView, columns: Columns, profile: Profile, nowMs: number) {
    this.#pod = pod;
    this.#columns = columns;
    this.#profile = profile;
    this.#nowMs = nowMs;
  }

  /** Where the pod goes when all the edits are made; undefined when it still fits nowhere. */
  try(edits: readonly Edit[]): Tried | undefined {
    this.tries++;
    const columns = this.#columns;
    const scene = {
      pod: this.#pod.pod,
      node: (name: string) => columns.nodes[columns.slotOf(name)],
      placed: (key: string) => columns.placed(key)?.view.pod,
    };
    const edited = applyEdits(scene, edits);
    if (edited === undefined) return undefined;
    const undo: (() => void)[] = [];
    try {
      this.#make(edited, undo);
      return this.#decide(edited, undo);
    } finally {
      for (const step of undo.reverse()) step();
    }
  }

  #make({ setNodes, setPods, removePods }: Edited, undo: (() => void)[]): void {
    const columns = this.#columns;
    for (const node of setNodes) {
      const was: Node | undefined = columns.nodes[columns.slotOf(node.metadata.name)];
      columns.setNode(node);
      undo.push(() => (was === undefined ? columns.removeNode(node.metadata.name) : void columns.setNode(was)));
    }
    for (const key of removePods) {
      const was = columns.removePod(key);
      if (was !== undefined) undo.push(() => void columns.addPod(was.view.pod, was.nodeName));
    }
    for (const pod of setPods) {
      const key = `${pod.metadata.namespace || 'default'}/${pod.metadata.name}`;
      const was = columns.placed(key);
      if (was === undefined) continue;
      const { view, nodeName } = was;
      columns.removePod(key);
      columns.addPod(pod, nodeName);
      undo.push(() => {
        columns.removePod(key);
        columns.addPod(view.pod, nodeName);
      });
    }
  }

  #decide({ pod }: Edited, undo: (() => void)[]): Tried | undefined {
    const view = this.#columns.view(pod);
    const decision = schedule(view, this.#columns, this.#profile);
    if (decision.node !== undefined) return { node: decision.node.name, victims: [] };
    const isForPreemption =
      pod.spec.priority !== this.#pod.pod.spec.priority ||
      pod.spec.preemptionPolicy !== this.#pod.pod.spec.preemptionPolicy;
    if (!isForPreemption) return undefined;
    const { best } = preempt(decision, this.#columns, this.#profile, { nowMs: this.#nowMs, offset: () => 0 });
    const candidate = best[0];
    if (candidate === undefined) return undefined;
    const victims = candidate.victims.map(({ view: { key, priority } }) => ({ key, priority }));
    // Preemption thinks of nodes one by one and with upstream's simplifications; what counts is that the pod then fits.
    this.#make({ pod, setNodes: [], removeNodes: [], setPods: [], removePods: victims.map(({ key }) => key) }, undo);
    const after = schedule(view, this.#columns, this.#profile);
    return after.node === undefined ? undefined : { node: after.node.name, victims };
  }
}
