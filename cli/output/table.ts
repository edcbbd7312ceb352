/** Prints the Tables that the server makes (metav1.Table): the cells as they are, columns chosen by the options. */
import type { ObjectMeta } from '#api/object.ts';
import { alignTabs, tableTabs } from './tabwriter.ts';

export interface Table {
  readonly kind: 'Table';
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly columnDefinitions?: readonly TableColumn[];
  readonly rows?: readonly TableRow[];
}
export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly priority?: number;
}
export interface TableRow {
  readonly cells: readonly unknown[];
  readonly object?: { readonly metadata?: ObjectMeta } | null;
}

export interface TableOptions {
  readonly wide?: boolean;
  readonly noHeaders?: boolean;
  readonly withNamespace?: boolean;
  readonly showLabels?: boolean;
  readonly labelColumns?: readonly string[];
  /** Put before each name: `pod/`. */
  readonly namePrefix?: string;
  /** Column widths so far; later rows of a watch align with the first. */
  readonly remembered?: number[];
}

/** The table as text, each line ended; empty when there are no rows. */
export const tableText = (
  columns: readonly TableColumn[],
  rows: readonly TableRow[],
  options: TableOptions,
): string => {
  if (rows.length === 0) return '';
  const shown = columns.flatMap((column, i) => (options.wide || !column.priority ? [{ column, i }] : []));
  const labelColumns = options.labelColumns ?? [];
  const head = [
    ...(options.withNamespace ? ['NAMESPACE'] : []),
    ...shown.map(({ column }) => column.name.toUpperCase()),
    ...labelColumns.map(label => label.slice(label.lastIndexOf('/') + 1).toUpperCase()),
    ...(options.showLabels ? ['LABELS'] : []),
  ];
  const lines = rows.map(row => {
    const meta = row.object?.metadata;
    return [
      ...(options.withNamespace ? [meta?.namespace ?? ''] : []),
      ...shown.map(({ column, i }) => cellText(row.cells[i], isName(column) ? (options.namePrefix ?? '') : '')),
      ...labelColumns.map(label => meta?.labels?.[label] ?? ''),
      ...(options.showLabels ? [labelsText(meta?.labels)] : []),
    ];
  });
  const all = options.noHeaders ? lines : [head, ...lines];
  const tabs = options.remembered ? { ...tableTabs, remembered: options.remembered } : tableTabs;
  return `${alignTabs(all.map(cells => cells.join('\t')).join('\n'), tabs)}\n`;
};

const isName = (column: TableColumn): boolean => column.type === 'string' && column.format === 'name';

/** Only the first line of a cell; control characters are made visible. */
const cellText = (cell: unknown, prefix: string): string => {
  if (cell === null || cell === undefined) return '';
  const text = prefix + String(cell);
  const end = text.search(/[\n\r\f]/);
  return escapeTerminal(end < 0 ? text : `${text.slice(0, end)}...`);
};

const escapeTerminal = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  text.replace(/\x1b/g, '^[').replace(/\t/g, ' ');

/** `a=b,c=d` sorted by key, or `<none>`. */
export const labelsText = (labels: Readonly<Record<string, string>> | undefined): string => {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? '<none>' : pairs.map(([key, value]) => `${key}=${value}`).join(',');
};
