/**
 * Elastic tabstops, as Go's text/tabwriter lays them out, because kubectl's tables and descriptions are made with it:
 * a cell is text ended by a tab; a column is a run of consecutive lines that have a cell there; its width is that of its
 * widest cell plus padding. Text after a line's last tab belongs to no column.
 */

export interface TabOptions {
  readonly minWidth: number;
  readonly padding: number;
  /** Widths reached so far, kept by the caller to align later output with earlier (kubectl get -w). */
  readonly remembered?: number[];
}

/** kubectl get, top, events, api-resources. */
export const tableTabs: TabOptions = { minWidth: 6, padding: 3 };
/** kubectl describe. */
export const describeTabs: TabOptions = { minWidth: 0, padding: 2 };

/** `text` with its tabs replaced by spaces. Widths count code points. */
export const alignTabs = (text: string, options: TabOptions): string => {
  const lines = text.split('\n').map(line => line.split('\t'));
  const out: string[] = [];
  const widths: number[] = [];

  const write = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const cells = lines[i]!;
      out.push(cells.map((cell, j) => (j < widths.length ? padded(cell, widths[j]!) : cell)).join(''));
    }
  };
  const widthOf = (from: number, to: number, column: number): number => {
    let width = options.minWidth;
    for (let i = from; i < to; i++) width = Math.max(width, length(lines[i]![column]!) + options.padding);
    const { remembered } = options;
    if (!remembered) return width;
    remembered[column] = Math.max(remembered[column] ?? 0, width);
    return remembered[column];
  };
  const format = (first: number, end: number) => {
    const column = widths.length;
    const has = (i: number) => lines[i]!.length - 1 > column;
    let start = first;
    for (let i = first; i < end; i++) {
      if (!has(i)) continue;
      write(start, i);
      start = i;
      while (i < end && has(i)) i++;
      widths.push(widthOf(start, i, column));
      format(start, i);
      widths.pop();
      start = i;
    }
    write(start, end);
  };
  format(0, lines.length);
  return out.join('\n');
};

const length = (text: string): number => {
  let count = 0;
  for (const _ of text) count++;
  return count;
};
const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - length(text)));
