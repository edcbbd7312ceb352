/**
 * nodeSelector and node affinity terms over all nodes: each requirement becomes a table with one byte per value of its
 * label, so that judging a node is a look into a few tables. Same meaning as api/node-selector.ts.
 */
import type { NodeSelector, NodeSelectorTerm } from '#api/kinds/core.ts';
import { compileNodeSelectorTerm } from '#api/node-selector.ts';
import type { Columns } from './columns.ts';
import type { LabelColumn } from './label-column.ts';

export interface NodeTest {
  matches(slot: number): boolean;
}

/** The test of a nodeSelector and a required node selector, both of which must match; undefined when there is neither. */
export const compileRequired = (
  nodeSelector: Readonly<Record<string, string>> | undefined,
  required: NodeSelector | undefined,
  columns: Columns,
): NodeTest | undefined => {
  const labels = Object.entries(nodeSelector ?? {}).map(
    ([key, value]) => new Requirement(columns.labelColumn(key), has => has === value),
  );
  const terms =
    required === undefined
      ? undefined
      : (required.nodeSelectorTerms ?? [])
          .map(term => compileTermTest(term, columns))
          .filter(test => test !== undefined);
  if (labels.length === 0 && terms === undefined) return undefined;
  return {
    matches(slot) {
      for (const label of labels) if (!label.matches(slot)) return false;
      if (terms === undefined) return true;
      for (const term of terms) if (term.matches(slot)) return true;
      return false;
    },
  };
};

/** The test of one term; undefined for one that can match no node. */
export const compileTermTest = (term: NodeSelectorTerm, columns: Columns): NodeTest | undefined => {
  if (compileNodeSelectorTerm(term) === undefined) return undefined;
  const requirements = (term.matchExpressions ?? []).map(expression => {
    const single = compileNodeSelectorTerm({ matchExpressions: [expression] });
    return new Requirement(columns.labelColumn(expression.key), value =>
      single === undefined
        ? false
        : single({ metadata: { name: '', labels: value === undefined ? {} : { [expression.key]: value } } }),
    );
  });
  const fields = (term.matchFields ?? []).map(({ operator, values }) => ({
    name: values?.[0] ?? '',
    wanted: operator === 'In',
  }));
  return {
    matches(slot) {
      for (const requirement of requirements) if (!requirement.matches(slot)) return false;
      for (const { name, wanted } of fields) if ((columns.names[slot] === name) !== wanted) return false;
      return true;
    },
  };
};

/** One requirement on one label; values are judged when they are first met. */
class Requirement {
  readonly #column: LabelColumn;
  readonly #test: (value: string | undefined) => boolean;
  readonly #missing: boolean;
  #verdicts: Uint8Array = new Uint8Array(16);
  #judged = 0;

  constructor(column: LabelColumn, test: (value: string | undefined) => boolean) {
    this.#column = column;
    this.#test = test;
    this.#missing = test(undefined);
  }

  matches(slot: number): boolean {
    const id = this.#column.ids[slot]!;
    if (id < 0) return this.#missing;
    if (id >= this.#judged) this.#judge();
    return this.#verdicts[id] === 1;
  }

  #judge(): void {
    const { values } = this.#column;
    if (values.length > this.#verdicts.length) {
      const larger = new Uint8Array(Math.max(values.length, 2 * this.#verdicts.length));
      larger.set(this.#verdicts);
      this.#verdicts = larger;
    }
    for (; this.#judged < values.length; this.#judged++)
      this.#verdicts[this.#judged] = this.#test(values[this.#judged]) ? 1 : 0;
  }
}

/**
 * The only nodes that can match, when every term pins metadata.name: the union of the names, `conflict` when that is
 * empty (SEMANTICS F.5, NodeAffinity PreFilter). Undefined when some term leaves the name open.
 */
export const pinnedNames = (required: NodeSelector | undefined): readonly string[] | 'conflict' | undefined => {
  const terms = required?.nodeSelectorTerms ?? [];
  if (terms.length === 0) return undefined;
  const union = new Set<string>();
  for (const term of terms) {
    let names: Set<string> | undefined;
    for (const { key, operator, values } of term.matchFields ?? []) {
      if (key !== 'metadata.name' || operator !== 'In') continue;
      const stated = new Set(values ?? []);
      names = names === undefined ? stated : new Set([...names].filter(name => stated.has(name)));
    }
    if (names === undefined) return undefined;
    for (const name of names) union.add(name);
  }
  return union.size === 0 ? 'conflict' : [...union];
};
