/** A custom plugin that looks at one node at a time, made into what the engine asks over columns. */
import type { Columns } from '../columns/columns.ts';
import type { ChangeType, FilterPlugin, FilterRun, ScorePlugin, Trial, WakeTest } from '../plugin.ts';
import type { PodView, Shape } from '../shapes/shape.ts';
import { wordOf } from './answers.ts';
import { invalidScore } from './guard.ts';
import { type NodeView, RowView } from './node-view.ts';
import type { CustomPlugin, Refusal } from './plugin.ts';

const resolvable = 1;
const unresolvable = 2;

type Says = (node: NodeView) => Required<Refusal> | undefined;

/** Asked for every attempt about every node that is left: its answers may depend on anything. */
export const perNodeFilter = (
  name: string,
  plugin: CustomPlugin,
  wokenBy: Readonly<Record<ChangeType, WakeTest>>,
): FilterPlugin => ({
  name,
  scope: 'cluster',
  reasons: [
    { text: `node(s) didn't pass filter ${name}`, unresolvable: false },
    { text: `node(s) didn't pass filter ${name}`, unresolvable: true },
  ],
  prepare: (shape, columns) => new PerNodeRun(saysOf(plugin, shape), columns),
  wokenBy,
});

const saysOf =
  (plugin: CustomPlugin, { sample }: Shape): Says =>
  node => {
    const said: unknown = plugin.filter?.(sample, node);
    if (said === undefined || said === null) return undefined;
    if (typeof said === 'string' && said !== '') return { reason: said, unresolvable: false };
    const { reason, unresolvable: isFinal } = (typeof said === 'object' ? said : {}) as Partial<Refusal>;
    if (typeof reason === 'string' && reason !== '') return { reason, unresolvable: isFinal === true };
    throw new Error(`filter gave ${wordOf(said)}; expected nothing, a reason, or {reason, unresolvable}`);
  };

class PerNodeRun implements FilterRun {
  readonly #says: Says;
  readonly #columns: Columns;
  /** By row, of the rows refused last. */
  readonly #reasons = new Map<number, string>();

  constructor(says: Says, columns: Columns) {
    this.#says = says;
    this.#columns = columns;
  }

  check(nodes: Uint32Array, count: number, verdict: Uint8Array): boolean {
    let refused = false;
    for (let i = 0; i < count; i++) {
      const row = nodes[i]!;
      const said = this.#says(new RowView(this.#columns, row));
      if (said === undefined) continue;
      this.#reasons.set(row, said.reason);
      verdict[row] = said.unresolvable ? unresolvable : resolvable;
      refused = true;
    }
    return refused;
  }

  explain(row: number): readonly string[] {
    return [this.#reasonOf(row)];
  }

  tally(nodes: Uint32Array, count: number, add: (reason: string, nodes: number) => void): void {
    for (let i = 0; i < count; i++) add(this.#reasonOf(nodes[i]!), 1);
  }

  #reasonOf(row: number): string {
    return this.#reasons.get(row) ?? this.#says(new RowView(this.#columns, row))?.reason ?? 'refused before';
  }

  trial(): Trial {
    return new PerNodeTrial(this.#says, this.#columns);
  }
}

class PerNodeTrial implements Trial {
  readonly #says: Says;
  readonly #columns: Columns;
  #node: RowView | undefined;

  constructor(says: Says, columns: Columns) {
    this.#says = says;
    this.#columns = columns;
  }

  reset(row: number): void {
    this.#node = new RowView(this.#columns, row);
  }

  add(pod: PodView): void {
    this.#node?.add(pod);
  }

  remove(pod: PodView): void {
    this.#node?.remove(pod);
  }

  verdict(): number {
    const said = this.#said();
    return said === undefined ? 0 : said.unresolvable ? unresolvable : resolvable;
  }

  explain(): readonly string[] {
    return [this.#said()?.reason ?? ''].filter(reason => reason !== '');
  }

  #said(): Required<Refusal> | undefined {
    return this.#node === undefined ? undefined : this.#says(this.#node);
  }
}

/** Asked for every attempt about every feasible node. */
export const perNodeScore = (name: string, plugin: CustomPlugin): ScorePlugin => ({
  name,
  scope: 'cluster',
  normalization: 'none',
  prepare: ({ sample }, columns) => ({
    score(nodes, count, out) {
      for (let i = 0; i < count; i++) {
        const row = nodes[i]!;
        const said: unknown = plugin.score?.(sample, new RowView(columns, row));
        if (typeof said !== 'number' || Number.isNaN(said))
          throw new Error(`score gave ${wordOf(said)}; expected a number from 0 to 100`);
        if (said < 0 || said > 100) throw invalidScore(name, said);
        out[row] = Math.trunc(said);
      }
      return true;
    },
  }),
});
