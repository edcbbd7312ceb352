/** NodeResourcesFit: the node must have room for what the pod requests (SEMANTICS F.5). Scores are in allocation.ts. */
import type { Columns } from '../columns/columns.ts';
import { changedNode, type FilterPlugin, type FilterRun, type Trial, type WakeTest } from '../plugin.ts';
import type { PodView, Shape, Usage } from '../shapes/shape.ts';

export interface FitArguments {
  /** Extended resources that are not looked at: names, and groups (what stands before the slash). */
  readonly ignoredResources?: readonly string[];
  readonly ignoredResourceGroups?: readonly string[];
}

const full = 1;
const neverFits = 2;

/** Its two reasons only tell what preemption can help with; what a person reads is made by `explain` and `tally`. */
export const resourcesFit = (args: FitArguments = {}): FilterPlugin => {
  const fitsWhenEmpty: WakeTest = ({ shape }, change, columns) => {
    const slot = changedNode(change);
    const wanted = wantedOf(shape, columns, args);
    return (
      columns.podLimit[slot]! >= 1 &&
      wanted.columns.every((column, i) => wanted.amounts[i]! <= columns.allocatable[column]![slot]!)
    );
  };
  return {
    name: 'NodeResourcesFit',
    scope: 'usage',
    reasons: [
      { text: 'Insufficient resources', unresolvable: false },
      { text: 'Insufficient resources', unresolvable: true },
    ],
    prepare: (shape, columns) => run(wantedOf(shape, columns, args), columns),
    wokenBy: {
      nodeAdded: fitsWhenEmpty,
      nodeChanged: fitsWhenEmpty,
      // A pod that goes frees at least its place among the node's pods.
      podRemoved: () => true,
      podChanged: () => true,
    },
  };
};

/** What a shape asks for of what counts: columns, and amounts above nothing. */
interface Wanted {
  readonly columns: readonly number[];
  readonly amounts: readonly number[];
}

const wantedOf = (shape: Shape, columns: Columns, args: FitArguments): Wanted => {
  const { columns: all, amounts } = shape.usage;
  const isIgnored = (column: number): boolean => {
    const name = columns.resourceNames[column] ?? '';
    return (
      isExtended(name) &&
      ((args.ignoredResources?.includes(name) ?? false) ||
        (args.ignoredResourceGroups?.includes(name.slice(0, name.indexOf('/'))) ?? false))
    );
  };
  const kept = all
    .map((_column, i) => i)
    .filter(i => !isIgnored(all[i]!) && isCounted(columns.resourceNames[all[i]!]!));
  return { columns: kept.map(i => all[i]!), amounts: kept.map(i => amounts[i]!) };
};

/** `example.com/gpu`, but not `hugepages-2Mi` nor anything of kubernetes.io. */
const isExtended = (name: string): boolean =>
  name.includes('/') && !name.slice(0, name.indexOf('/')).endsWith('kubernetes.io') && !name.startsWith('requests.');

/** Resources that a node can run out of: cpu, memory, ephemeral storage and scalars (SEMANTICS B.7). */
const isCounted = (name: string): boolean =>
  name === 'cpu' ||
  name === 'memory' ||
  name === 'ephemeral-storage' ||
  name.includes('/') ||
  name.startsWith('hugepages-') ||
  name.startsWith('attachable-volumes-');

const run = (wanted: Wanted, columns: Columns): FilterRun => ({
  check(nodes, count, verdict) {
    if (count > 1 && count === columns.count && columns.room.isEverywhere(wanted)) return false;
    return wanted.columns.length === 2
      ? checkTwo(wanted, columns, { nodes, count, verdict })
      : checkAny(wanted, columns, { nodes, count, verdict });
  },
  explain(node) {
    const trial = new FitTrial(wanted, columns);
    trial.reset(node);
    return trial.explain();
  },
  tally(nodes, count, add) {
    const { podCount, podLimit, resourceNames } = columns;
    let full = 0;
    for (let i = 0; i < count; i++) if (podCount[nodes[i]!]! >= podLimit[nodes[i]!]!) full++;
    add('Too many pods', full);
    for (let r = 0; r < wanted.columns.length; r++) {
      const want = wanted.amounts[r]!;
      const has = columns.allocatable[wanted.columns[r]!]!;
      const used = columns.used[wanted.columns[r]!]!;
      let short = 0;
      for (let i = 0; i < count; i++) if (want > has[nodes[i]!]! - used[nodes[i]!]!) short++;
      add(`Insufficient ${resourceNames[wanted.columns[r]!]}`, short);
    }
  },
  trial: () => new FitTrial(wanted, columns),
});

interface Question {
  readonly nodes: Uint32Array;
  readonly count: number;
  readonly verdict: Uint8Array;
}

/** The usual pod asks for two resources: one pass over the nodes. */
const checkTwo = (wanted: Wanted, columns: Columns, { nodes, count, verdict }: Question): boolean => {
  const a = wanted.columns[0]!;
  const b = wanted.columns[1]!;
  const wantA = wanted.amounts[0]!;
  const wantB = wanted.amounts[1]!;
  const freeA = columns.resources.free[a]!;
  const freeB = columns.resources.free[b]!;
  const { podRoom } = columns.resources;
  let refused = false;
  for (let i = 0; i < count; i++) {
    const node = nodes[i]!;
    if (wantA <= freeA[node]! && wantB <= freeB[node]! && podRoom[node]! >= 1) continue;
    refused = true;
    const never = wantA > columns.allocatable[a]![node]! || wantB > columns.allocatable[b]![node]!;
    verdict[node] = never ? neverFits : full;
  }
  return refused;
};

const checkAny = (wanted: Wanted, columns: Columns, { nodes, count, verdict }: Question): boolean => {
  const { podRoom } = columns.resources;
  let refused = false;
  for (let i = 0; i < count; i++) {
    const node = nodes[i]!;
    if (podRoom[node]! >= 1) continue;
    verdict[node] = full;
    refused = true;
  }
  for (let r = 0; r < wanted.columns.length; r++) {
    const want = wanted.amounts[r]!;
    const free = columns.resources.free[wanted.columns[r]!]!;
    const has = columns.allocatable[wanted.columns[r]!]!;
    for (let i = 0; i < count; i++) {
      const node = nodes[i]!;
      if (want <= free[node]!) continue;
      refused = true;
      if (want > has[node]!) verdict[node] = neverFits;
      else if (verdict[node] === 0) verdict[node] = full;
    }
  }
  return refused;
};

class FitTrial implements Trial {
  readonly #wanted: Wanted;
  readonly #columns: Columns;
  readonly #left: Float64Array;
  #node = 0;
  #podsLeft = 0;

  constructor(wanted: Wanted, columns: Columns) {
    this.#wanted = wanted;
    this.#columns = columns;
    this.#left = new Float64Array(wanted.columns.length);
  }

  reset(node: number): void {
    const { allocatable, used, podLimit, podCount } = this.#columns;
    const { columns } = this.#wanted;
    this.#node = node;
    for (let i = 0; i < columns.length; i++)
      this.#left[i] = allocatable[columns[i]!]![node]! - used[columns[i]!]![node]!;
    this.#podsLeft = podLimit[node]! - podCount[node]!;
  }

  add(pod: PodView): void {
    this.#use(pod.shape.usage, 1);
  }

  remove(pod: PodView): void {
    this.#use(pod.shape.usage, -1);
  }

  #use(usage: Usage, sign: 1 | -1): void {
    this.#podsLeft -= sign;
    for (let i = 0; i < usage.columns.length; i++) {
      const at = this.#wanted.columns.indexOf(usage.columns[i]!);
      if (at >= 0) this.#left[at]! -= sign * usage.amounts[i]!;
    }
  }

  verdict(): number {
    let verdict = this.#podsLeft < 1 ? full : 0;
    for (let i = 0; i < this.#left.length; i++) {
      const want = this.#wanted.amounts[i]!;
      if (want <= this.#left[i]!) continue;
      if (want > this.#columns.allocatable[this.#wanted.columns[i]!]![this.#node]!) return neverFits;
      verdict = full;
    }
    return verdict;
  }

  explain(): readonly string[] {
    const reasons = this.#podsLeft < 1 ? ['Too many pods'] : [];
    this.#wanted.columns.forEach((column, i) => {
      if (this.#wanted.amounts[i]! > this.#left[i]!)
        reasons.push(`Insufficient ${this.#columns.resourceNames[column]}`);
    });
    return reasons;
  }
}
