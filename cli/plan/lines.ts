/** What the parts of a plan's text share: tables, lists of bounded length, sentences below those they are about. */
import { grid, sentence } from '../output/page.ts';
import { paintFor } from '../output/paint.ts';

export interface TextOptions {
  /** More columns, and every row. */
  readonly wide: boolean;
}

export type Lines = readonly string[];

/** Rows of a table or list, unless all are asked for. */
const mostRows = 40;
/** Names above a sentence that they share. */
const mostNames = 10;

export const table = (rows: readonly (readonly string[])[]): Lines => grid(rows, paintFor(false), 0);

export const titled = (title: string, lines: Lines): Lines =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map(line => `  ${line}`)];

export interface Some<T> {
  readonly shown: readonly T[];
  /** A line that tells how many there are besides. */
  readonly rest: Lines;
}

export const some = <T>(items: readonly T[], { wide }: TextOptions, most = mostRows): Some<T> => {
  // One line more or one that tells of it: the same.
  if (wide || items.length <= most + 1) return { shown: items, rest: [] };
  return { shown: items.slice(0, most), rest: [`… and ${items.length - most} more (-o wide shows all)`] };
};

export interface Waiting {
  readonly head: string;
  readonly message: string;
}

/** Pods that share a message stand above it together. To be put two spaces in. */
export const waitingLines = (all: readonly Waiting[], options: TextOptions): Lines => {
  const byMessage = new Map<string, string[]>();
  for (const { head, message } of all) {
    const heads = byMessage.get(message);
    if (heads === undefined) byMessage.set(message, [head]);
    else heads.push(head);
  }
  const groups = some([...byMessage], options);
  const lines = groups.shown.flatMap(([message, heads]) => {
    const names = some(heads, options, mostNames);
    return [...names.shown, ...names.rest, ...within(message, 2, 0)];
  });
  return [...lines, ...groups.rest];
};

/** A sentence `indent` spaces in, where the whole comes to stand two spaces in. */
export const within = (text: string, indent = 0, hanging = 2): Lines =>
  sentence(text, indent + 2, hanging).map(line => line.slice(2));

export const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
