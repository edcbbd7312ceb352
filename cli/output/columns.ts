/** `-o custom-columns=NAME:.metadata.name,…`: a table whose cells are JSONPath results. */
import { CliError } from '../failure.ts';
import { findValues, valueText } from './jsonpath.ts';
import { parseRelaxedPath, type Template } from './jsonpath-parse.ts';
import { alignTabs, tableTabs } from './tabwriter.ts';

export interface CustomColumn {
  readonly header: string;
  readonly template: Template;
}

/** Reads `HEADER:path,HEADER:path`. */
export const parseCustomColumns = (spec: string): readonly CustomColumn[] => {
  if (spec === '') throw new CliError('custom-columns format specified but no custom columns given');
  return spec.split(',').map(part => {
    const colon = part.indexOf(':');
    if (colon < 0) {
      throw new CliError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    }
    return { header: part.slice(0, colon), template: parseRelaxedPath(part.slice(colon + 1)) };
  });
};

export const customColumnsText = (
  columns: readonly CustomColumn[],
  objects: readonly unknown[],
  noHeaders: boolean,
): string => {
  const rows = objects.map(object => columns.map(column => cell(column.template, object)).join('\t'));
  const lines = noHeaders ? rows : [columns.map(column => column.header).join('\t'), ...rows];
  return lines.length === 0 ? '' : `${alignTabs(lines.join('\n'), tableTabs)}\n`;
};

const cell = (template: Template, object: unknown): string => {
  const found = findValues(template, object);
  return found.length === 0 ? '<none>' : found.map(goText).join(',');
};

/** Maps and lists as Go's fmt prints them, which is what kubectl shows here. */
const goText = (value: unknown): string => {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value !== 'object') return valueText(value);
  const map = value as Record<string, unknown>;
  return `map[${Object.keys(map)
    .sort()
    .map(key => `${key}:${goText(map[key])}`)
    .join(' ')}]`;
};
