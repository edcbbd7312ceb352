/** Text laid out for a page of 100 columns: sentences, and tables whose last column goes on below itself. */
import type { Code, Paint } from './paint.ts';

/** What a reader's terminal is taken to hold. */
export const pageWidth = 100;

/** A cell may be painted; its width is that of the text alone. */
export type Cell = string | { readonly text: string; readonly code: Code };

const gap = 3;
/** Least width of a last column, however wide the others are. */
const leastLast = 30;

/** Rows with their columns aligned, `indent` spaces before. */
export const grid = (rows: readonly (readonly Cell[])[], paint: Paint, indent = 2): readonly string[] => {
  const columns = Math.max(0, ...rows.map(row => row.length));
  const widths = Array.from({ length: Math.max(0, columns - 1) }, (_, i) => widest(rows.map(row => row[i])));
  const room = Math.max(leastLast, pageWidth - widths.reduce((sum, width) => sum + width + gap, indent));
  const line = (cells: readonly Cell[], last: Cell): string => {
    const before = widths.map((width, i) => painted(cells[i], paint) + ' '.repeat(width - lengthOf(cells[i]) + gap));
    return `${' '.repeat(indent)}${before.join('')}${painted(last, paint)}`.trimEnd();
  };
  return rows.flatMap(row => {
    const last = row[columns - 1] ?? '';
    const parts = wrap(textOf(last), room);
    return parts.map((text, i) => line(i === 0 ? row : [], typeof last === 'string' ? text : { ...last, text }));
  });
};

/**
 * A table of figures: a name per row and a column per item, set to the right. Items that do not fit beside each other go
 * into blocks below; `mostBlocks` of them at most.
 */
export const figureBlocks = (
  names: readonly Cell[],
  items: readonly (readonly Cell[])[],
  { paint, indent = 2, mostBlocks }: { paint: Paint; indent?: number; mostBlocks: number },
): { readonly lines: readonly string[]; readonly shown: number } => {
  const first = widest(names);
  const widths = items.map(widest);
  const lines: string[] = [];
  let shown = 0;
  for (let block = 0; block < mostBlocks && shown < items.length; block++) {
    const from = shown;
    let room = pageWidth - indent - first;
    do room -= gap + widths[shown++]!;
    while (shown < items.length && room >= gap + widths[shown]!);
    if (block > 0) lines.push('');
    names.forEach((name, row) => {
      const cells = items.slice(from, shown).map((item, i) => {
        const padding = ' '.repeat(gap + widths[from + i]! - lengthOf(item[row]));
        return padding + painted(item[row], paint);
      });
      const head = painted(name, paint) + ' '.repeat(first - lengthOf(name));
      lines.push(`${' '.repeat(indent)}${head}${cells.join('')}`.trimEnd());
    });
  }
  return { lines, shown };
};

/** A sentence over as many lines as it takes, each after `indent` spaces, those after the first after `hanging` more. */
export const sentence = (text: string, indent = 0, hanging = 0): readonly string[] => {
  const [first = '', ...rest] = wrap(text, pageWidth - indent, pageWidth - indent - hanging);
  return [' '.repeat(indent) + first, ...rest.map(line => ' '.repeat(indent + hanging) + line)];
};

/** The words of a text in lines of so many columns at most; a word that is longer stands alone. No line ends in an arrow. */
const wrap = (text: string, firstWidth: number, width = firstWidth): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<!→) /)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && longer.length > (lines.length === 0 ? firstWidth : width)) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
};

const widest = (cells: readonly (Cell | undefined)[]): number => Math.max(0, ...cells.map(lengthOf));

const lengthOf = (cell: Cell | undefined): number => textOf(cell).length;

const textOf = (cell: Cell | undefined): string => (typeof cell === 'string' ? cell : (cell?.text ?? ''));

const painted = (cell: Cell | undefined, paint: Paint): string =>
  typeof cell === 'object' ? paint(cell.code, cell.text) : (cell ?? '');
