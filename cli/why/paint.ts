/** Colours for terminals that show them. */
const codes = { bold: 1, dim: 2, red: 31, green: 32, cyan: 36 } as const;

export type Paint = (code: keyof typeof codes, text: string) => string;

export const paintFor = (colour: boolean): Paint => {
  if (!colour) return (_, text) => text;
  return (code, text) => (text === '' ? '' : `\u001b[${codes[code]}m${text}\u001b[0m`);
};

/**
 * Rows with their columns aligned, three spaces between. A cell may be painted: widths are those of the text alone.
 */
export const grid = (rows: readonly (readonly Cell[])[], paint: Paint): readonly string[] => {
  const columns = Math.max(0, ...rows.map(row => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map(row => textOf(row[i]).length)));
  return rows.map(row =>
    row
      .map((cell, i) => {
        const text = textOf(cell);
        const padding = i === row.length - 1 ? '' : ' '.repeat(widths[i]! - text.length + 3);
        return (typeof cell === 'string' ? text : paint(cell.code, text)) + padding;
      })
      .join('')
      .trimEnd(),
  );
};

export type Cell = string | { readonly text: string; readonly code: keyof typeof codes };

const textOf = (cell: Cell | undefined): string => (typeof cell === 'string' ? cell : (cell?.text ?? ''));
