/** What the demo writes on the terminal: plain lines, coloured where the terminal shows colours, with one line of progress. */

export interface Screen {
  /** A heading, with a rule to the right edge. */
  title(text: string): void;
  /** An ordinary line, indented. */
  line(text?: string): void;
  /** A command as the user could type it. */
  command(text: string): void;
  table(rows: readonly (readonly string[])[]): void;
  good(text: string): void;
  bad(text: string): void;
  /** A step that takes a while begins: as `status` on a terminal, as a line elsewhere. */
  step(text: string): void;
  /** What is being waited for: one line that is overwritten on a terminal, and left out elsewhere. */
  status(text: string): void;
}

export interface ScreenOptions {
  readonly write: (text: string) => void;
  /** May lines be overwritten? */
  readonly terminal: boolean;
  readonly colour: boolean;
  readonly columns: number;
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, cyan: 36 } as const;

export const createScreen = (options: ScreenOptions): Screen => {
  const { write, terminal, columns } = options;
  const paint = (code: keyof typeof codes, text: string): string =>
    options.colour ? `\u001b[${codes[code]}m${text}\u001b[0m` : text;
  let hasStatus = false;
  const clear = () => {
    if (hasStatus) write('\r\u001b[K');
    hasStatus = false;
  };
  const put = (text: string) => {
    clear();
    write(`${text}\n`);
  };
  const status = (text: string) => {
    if (!terminal) return;
    clear();
    write(`  ${paint('dim', `… ${text}`.slice(0, columns - 3))}`);
    hasStatus = true;
  };
  return {
    title: text =>
      put(
        `\n${paint('bold', text)} ${paint('dim', '─'.repeat(Math.max(3, Math.min(columns, 100) - text.length - 1)))}`,
      ),
    line: (text = '') => put(text === '' ? '' : `  ${text}`),
    command: text => put(`  ${paint('cyan', `$ ${text}`)}`),
    table: rows => {
      for (const row of tableLines(rows)) put(`  ${row}`);
    },
    good: text => put(`  ${paint('green', '✓')} ${text}`),
    bad: text => put(`  ${paint('red', '✗')} ${text}`),
    step: text => (terminal ? status(text) : put(`  … ${text}`)),
    status,
  };
};

/** Rows with their columns aligned, three spaces between, as kubectl prints them. */
export const tableLines = (rows: readonly (readonly string[])[]): string[] => {
  const columns = Math.max(0, ...rows.map(row => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)));
  return rows.map(row =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!)))
      .join('   ')
      .trimEnd(),
  );
};
