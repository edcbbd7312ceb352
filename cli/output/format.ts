/** The values of `-o`: what to print of objects when it is not the server's table. */
import { readFileSync } from 'node:fs';
import { CliError } from '../failure.ts';
import { customColumnsText, parseCustomColumns } from './columns.ts';
import { toJson } from './json.ts';
import { findResults, renderTemplate } from './jsonpath.ts';
import { parseTemplate } from './jsonpath-parse.ts';
import { toYaml } from './yaml.ts';

/** What is printed: one object, or the items of a `v1 List`. */
export interface Printable {
  readonly objects: readonly object[];
  /** True when one object was asked for by name: it is printed itself, not as a list. */
  readonly single: boolean;
  /** The list is one of the API, of this kind, instead of kubectl's mixed `List`. */
  readonly listKind?: string;
}

export type Format =
  | { readonly is: 'table'; readonly wide: boolean }
  | { readonly is: 'objects'; readonly print: (printable: Printable, options: { noHeaders: boolean }) => string };

export interface FormatOptions {
  /** False: without `wide` and custom-columns, which only get has. */
  readonly columns?: boolean;
  /** The template, when it is not part of `-o`. */
  readonly template?: string | undefined;
}

const plain = ['json', 'jsonpath', 'jsonpath-as-json', 'jsonpath-file', 'name', 'yaml'];
const withColumns = ['custom-columns', 'custom-columns-file', 'wide'];
const goTemplates = ['go-template', 'go-template-file', 'template', 'templatefile'];

/** Reads the value of `-o`; throws CliError. `nameOf` gives `pod/web` for an object. */
export const parseFormat = (
  text: string | undefined,
  nameOf: (object: object) => string,
  options: FormatOptions = {},
): Format => {
  const [, stated = '', argument = options.template] = /^([^=]*)(?:=(.*))?$/s.exec(text ?? '')!;
  const name = stated === '' && options.template !== undefined ? 'go-template' : stated;
  if (name === '') return { is: 'table', wide: false };
  if (goTemplates.includes(name))
    throw new CliError(`berth has no Go templates (-o ${name}): use -o jsonpath=…, or kubectl --context berth …`);
  const allowed = options.columns === false ? plain : [...plain, ...withColumns];
  if (!allowed.includes(name)) {
    throw new CliError(
      `unable to match a printer suitable for the output format ${JSON.stringify(text)}, allowed formats are: ${[...allowed].sort().join(',')}`,
    );
  }
  return name === 'wide' ? { is: 'table', wide: true } : { is: 'objects', print: printerOf(name, argument, nameOf) };
};

type Print = (printable: Printable, options: { noHeaders: boolean }) => string;

const printerOf = (name: string, argument: string | undefined, nameOf: (object: object) => string): Print => {
  const needed = (): string => {
    if (argument) return argument;
    throw new CliError('template format specified but no template given');
  };
  switch (name) {
    case 'json':
      return printable => toJson(rootOf(printable));
    case 'yaml':
      return printable => toYaml(rootOf(printable));
    case 'name':
      return printable => printable.objects.map(object => `${nameOf(object)}\n`).join('');
    case 'jsonpath-as-json': {
      const template = parseTemplate(needed());
      return printable => findResults(template, rootOf(printable)).map(toJson).join('');
    }
    case 'jsonpath':
    case 'jsonpath-file': {
      const template = parseTemplate(name === 'jsonpath' ? needed() : fileText(needed(), 'error reading --template'));
      return printable => renderTemplate(template, rootOf(printable));
    }
    default: {
      const columns = parseCustomColumns(name === 'custom-columns' ? (argument ?? '') : columnsFile(needed()));
      return (printable, { noHeaders }) => customColumnsText(columns, printable.objects, noHeaders);
    }
  }
};

const rootOf = ({ objects, single, listKind }: Printable): unknown => {
  if (single) return objects[0];
  const metadata = listKind === undefined ? { resourceVersion: '' } : {};
  return { apiVersion: 'v1', items: objects, kind: listKind ?? 'List', metadata };
};

const fileText = (path: string, prefix: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : String(error);
    throw new CliError(`${prefix} ${path}, open ${path}: ${why}`);
  }
};

/** Two lines, headers above paths, as kubectl's custom-columns-file has it. */
const columnsFile = (path: string): string => {
  const [headers = [], paths = []] = fileText(path, 'error reading template')
    .split('\n')
    .map(line => line.trim().split(/\s+/));
  if (headers.length !== paths.length)
    throw new CliError(`number of headers and field specifications don't match in ${path}`);
  return headers.map((header, i) => `${header}:${paths[i]}`).join(',');
};

/** What `-o` shows of an object: yaml and json leave out managedFields, which nobody wants to read unless asked for. */
export const shownBy = <T extends object>(
  { output, showManagedFields }: { output?: string; showManagedFields?: boolean },
  object: T,
): T => (showManagedFields || (output !== 'yaml' && output !== 'json') ? object : withoutManagedFields(object));

const withoutManagedFields = <T extends object>(object: T): T => {
  const { metadata } = object as { metadata?: object };
  if (!metadata || !('managedFields' in metadata)) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: rest };
};
