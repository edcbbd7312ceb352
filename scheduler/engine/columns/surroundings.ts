/**
 * The objects besides nodes and pods that decisions read: labels of namespaces, selectors of Services and workloads (for
 * the default topology spread), disruption budgets.
 */
import type { Namespace, Pod, Service } from '#api/kinds/core.ts';
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import type { LabelSelector } from '#api/labels.ts';
import { deepEqual } from '#base/deep.ts';
import { type Budget, compileBudget } from '../preemption/budgets.ts';
import { controllerOf, namespaceOf } from '../shapes/shape.ts';
import { isEmptySelector, labelTest } from '../shapes/term.ts';
import type { PodIndex } from './pod-index.ts';

type Labels = Readonly<Record<string, string>>;

/** A ReplicaSet, StatefulSet or ReplicationController: what selects its pods. */
export interface Workload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
  readonly spec?: { readonly selector?: LabelSelector | Labels | undefined } | undefined;
}

/** The selector of a pod's Services and controller, merged. */
interface MergedSelector {
  readonly key: string;
  readonly matches: (labels: Labels) => boolean;
}

/** Told of every such object that comes, changes or goes; one that is as it was raises nothing. */
export class Surroundings {
  /** Raised when a Service or workload selector changed: default spread constraints must be looked up again. */
  selectorsRevision = 0;
  /** Raised with every change of a disruption budget. */
  budgetsRevision = 0;
  readonly #index: PodIndex;
  readonly #namespaces = new Map<string, Labels>();
  readonly #services = new Map<string, Map<string, Labels>>();
  readonly #workloads = new Map<string, LabelSelector>();
  readonly #budgets = new Map<string, PodDisruptionBudget>();
  #compiledBudgets: readonly Budget[] | undefined;

  constructor(index: PodIndex) {
    this.#index = index;
  }

  /** Labels of a namespace; undefined when there is no such object. */
  readonly namespaceLabels = (name: string): Labels | undefined => this.#namespaces.get(name);

  setNamespace(namespace: Namespace): void {
    const labels = namespace.metadata.labels ?? {};
    const was = this.#namespaces.get(namespace.metadata.name);
    if (was !== undefined && deepEqual(was, labels)) return;
    this.#namespaces.set(namespace.metadata.name, labels);
    this.#index.namespacesChanged();
  }

  removeNamespace(name: string): void {
    if (this.#namespaces.delete(name)) this.#index.namespacesChanged();
  }

  setService(service: Service): void {
    const namespace = service.metadata.namespace || 'default';
    const selector = service.spec?.selector;
    // A Service without a selector selects nothing; with an empty one, everything.
    if (selector === undefined || selector === null) {
      this.removeService(namespace, service.metadata.name);
      return;
    }
    const services = this.#services.get(namespace) ?? new Map<string, Labels>();
    const was = services.get(service.metadata.name);
    if (was !== undefined && deepEqual(was, selector)) return;
    services.set(service.metadata.name, selector);
    this.#services.set(namespace, services);
    this.selectorsRevision++;
  }

  removeService(namespace: string, name: string): void {
    if (this.#services.get(namespace)?.delete(name)) this.selectorsRevision++;
  }

  setWorkload(workload: Workload): void {
    const key = workloadKey(workload.apiVersion, workload.kind, namespaceName(workload.metadata));
    const stated = workload.spec?.selector;
    const selector: LabelSelector =
      workload.kind === 'ReplicationController'
        ? { matchLabels: (stated ?? {}) as Labels }
        : ((stated ?? {}) as LabelSelector);
    const was = this.#workloads.get(key);
    if (was !== undefined && deepEqual(was, selector)) return;
    this.#workloads.set(key, selector);
    this.selectorsRevision++;
  }

  removeWorkload(workload: Workload): void {
    const key = workloadKey(workload.apiVersion, workload.kind, namespaceName(workload.metadata));
    if (this.#workloads.delete(key)) this.selectorsRevision++;
  }

  setBudget(budget: PodDisruptionBudget): void {
    this.#budgets.set(namespaceName(budget.metadata), budget);
    this.#compiledBudgets = undefined;
    this.budgetsRevision++;
  }

  removeBudget(namespace: string, name: string): void {
    this.#budgets.delete(`${namespace}/${name}`);
    this.#compiledBudgets = undefined;
    this.budgetsRevision++;
  }

  /** The budgets that protect anybody. */
  budgets(): readonly Budget[] {
    this.#compiledBudgets ??= [...this.#budgets.values()].map(compileBudget).filter(budget => budget !== undefined);
    return this.#compiledBudgets;
  }

  /**
   * What selects the pod (component-helpers DefaultSelector): the selectors of all Services that select it, and that of
   * its controlling ReplicaSet, StatefulSet or ReplicationController. Undefined when nothing does.
   */
  defaultSelector(pod: Pod): MergedSelector | undefined {
    const merged: Record<string, string> = {};
    const labels = pod.metadata.labels ?? {};
    for (const selector of this.#services.get(namespaceOf(pod))?.values() ?? [])
      if (Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value))
        Object.assign(merged, selector);
    const owner = controllerOf(pod);
    const workload =
      owner === undefined
        ? undefined
        : this.#workloads.get(workloadKey(owner[0], owner[1], `${namespaceOf(pod)}/${owner[2]}`));
    const hasServices = Object.keys(merged).length > 0;
    if (!hasServices && (workload === undefined || isEmptySelector(workload))) return undefined;
    const byServices = labelTest({ matchLabels: merged });
    if (workload === undefined) return { key: JSON.stringify(merged), matches: byServices };
    const byWorkload = labelTest(workload);
    return {
      key: JSON.stringify([merged, workload]),
      matches: labels => byServices(labels) && byWorkload(labels),
    };
  }
}

const namespaceName = (metadata: { readonly namespace?: string | undefined; readonly name: string }): string =>
  `${metadata.namespace || 'default'}/${metadata.name}`;

const workloadKey = (apiVersion: string, kind: string, name: string): string => `${apiVersion} ${kind} ${name}`;
