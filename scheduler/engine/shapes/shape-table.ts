/**
 * The shapes of the pods that the engine deals with, one per set of equal pods. Shapes that no placed pod has and that
 * were not asked for lately are forgotten in batches, so that a stream of pods that are all different cannot fill memory.
 */
import type { Affinity, Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '#api/kinds/core.ts';
import type { Columns } from '../columns/columns.ts';
import { HeldTerm, type TermRole } from '../columns/held-term.ts';
import type { LabelSet } from '../columns/label-set.ts';
import { requestsOf, scoredRequests } from '../requests.ts';
import { hostPortsOf, namespaceOf, nodeKeyOf, type Shape, shapeKeyOf, type Usage, type WeightedTerm } from './shape.ts';
import { compileTerm, type Term } from './term.ts';

/** Shapes without placed pods that are kept. */
const idleLimit = 4096;

/** The table forgets, so whoever keeps a shape revives it before using it for a pod. */
export class ShapeTable {
  readonly #columns: Columns;
  readonly #shapes = new Map<string, Shape>();
  /** What makes pods differ beyond what the engine looks at; for plugins that look at more. */
  tellApart: ((pod: Pod) => string) | undefined;
  #turn = 0;
  #nextSweep = 2 * idleLimit;

  constructor(columns: Columns) {
    this.#columns = columns;
  }

  get size(): number {
    return this.#shapes.size;
  }

  /** The shape of the pod, which is not made twice. `placed`: of a pod on a node, whose usage its status has a say in. */
  of(pod: Pod, placed: boolean): Shape {
    const alike = shapeKeyOf(pod, placed);
    const key = this.tellApart === undefined ? alike : `${alike}${this.tellApart(pod)}`;
    const known = this.#shapes.get(key);
    if (known !== undefined) {
      known.lastUsed = ++this.#turn;
      return known;
    }
    const shape = this.#make(key, pod, placed);
    this.#shapes.set(key, shape);
    if (this.#shapes.size >= this.#nextSweep) this.#sweep();
    return shape;
  }

  /** Makes a forgotten shape known again, so that indexes count its pods. */
  revive(shape: Shape): void {
    shape.lastUsed = ++this.#turn;
    if (!shape.forgotten) return;
    shape.forgotten = false;
    shape.labelSet = this.#labelSet(shape.sample);
    shape.held = this.#held(shape);
    if (!this.#shapes.has(shape.key)) this.#shapes.set(shape.key, shape);
  }

  #make(key: string, pod: Pod, placed: boolean): Shape {
    const affinity = pod.spec.affinity;
    const namespace = namespaceOf(pod);
    const shape: Shape = {
      key,
      nodeKey: nodeKeyOf(pod, placed),
      nodeName: placed ? '' : (pod.spec.nodeName ?? ''),
      sample: pod,
      labelSet: this.#labelSet(pod),
      usage: this.#usage(pod, placed),
      ports: hostPortsOf(pod),
      ...compileTerms(affinity, namespace),
      held: [],
      users: 0,
      lastUsed: ++this.#turn,
      forgotten: false,
    };
    if (affinity?.podAffinity !== undefined || affinity?.podAntiAffinity !== undefined) shape.held = this.#held(shape);
    return shape;
  }

  #labelSet(pod: Pod): LabelSet {
    const namespace = namespaceOf(pod);
    const labels = pod.metadata.labels ?? {};
    return this.#columns.index.labelSet(JSON.stringify([namespace, labels]), namespace, labels);
  }

  #usage(pod: Pod, placed: boolean): Usage {
    const requests = requestsOf(pod, placed);
    const columns: number[] = [];
    const amounts: number[] = [];
    for (const [name, amount] of requests.amounts) {
      if (amount === 0) continue;
      columns.push(this.#columns.resource(name));
      amounts.push(amount);
    }
    return { requests, scored: scoredRequests(pod, requests), columns, amounts };
  }

  #held(shape: Shape): readonly HeldTerm[] {
    const held: HeldTerm[] = [];
    const hold = (role: TermRole, term: Term, weight: number): void => {
      const key = `${role} ${weight} ${term.key}`;
      const column = this.#columns.labelColumn(term.topologyKey);
      held.push(this.#columns.index.heldTerm(key, () => new HeldTerm(key, term, role, weight, column)));
    };
    for (const term of shape.requiredAffinity) hold('requiredAffinity', term, 1);
    for (const term of shape.requiredAntiAffinity) hold('requiredAntiAffinity', term, 1);
    for (const { term, weight } of shape.preferredAffinity) hold('preferredAffinity', term, weight);
    for (const { term, weight } of shape.preferredAntiAffinity) hold('preferredAntiAffinity', term, weight);
    return held;
  }

  #sweep(): void {
    const idle = [...this.#shapes.values()].filter(shape => shape.users === 0);
    idle.sort((a, b) => a.lastUsed - b.lastUsed);
    for (const shape of idle.slice(0, Math.max(0, idle.length - idleLimit))) {
      shape.forgotten = true;
      shape.labelSet.users--;
      for (const held of shape.held) held.users--;
      this.#shapes.delete(shape.key);
    }
    this.#columns.index.sweep();
    this.#nextSweep = this.#shapes.size + idleLimit;
  }
}

const compileTerms = (
  affinity: Affinity | undefined,
  namespace: string,
): Pick<Shape, 'requiredAffinity' | 'requiredAntiAffinity' | 'preferredAffinity' | 'preferredAntiAffinity'> => {
  const required = (terms: readonly PodAffinityTerm[] | undefined): readonly Term[] =>
    terms === undefined || terms.length === 0 ? noTerms : terms.map(term => compileTerm(term, namespace));
  const preferred = (terms: readonly WeightedPodAffinityTerm[] | undefined): readonly WeightedTerm[] =>
    (terms ?? noTerms).map(({ weight, podAffinityTerm }) => ({
      weight,
      term: compileTerm(podAffinityTerm, namespace),
    }));
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  return {
    requiredAffinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  };
};
const noTerms: readonly never[] = [];
