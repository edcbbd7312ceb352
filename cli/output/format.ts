/** The values of `-o`: what to print of objects when it is not the server's table. */
import { readFileSync } from 'node:fs';
import { CliError } from '../failure.ts';
import { customColumnsText, parseCustomColumns } from './columns.ts';
import { toJson } from './json.ts';
import { renderTemplate } from './jsonpath.ts';
import { parseTemplate } from './jsonpath-parse.ts';
import { toYaml } from './yaml.ts';

/** What is printed: one object, or the items of a `v1 List`. */
export interface Printable {
  readonly objects: readonly object[];
  /** True when one object was asked for by name: it is printed itself, not as a list. */
  readonly single: boolean;
}

export type Format =
  | { readonly is: 'table'; readonly wide: boolean }
  | { readonly is: 'objects'; readonly print: (printable: Printable, options: { noHeaders: boolean }) => string };

const known = 'custom-columns, custom-columns-file, json, jsonpath, jsonpath-as-json, jsonpath-file, name, wide, yaml';

/** Reads the value of `-o`; throws CliError. `nameOf` gives `pod/web` for an object. */
export const parseFormat = (text: string | undefined, nameOf: (object: object) => string): Format => {
  const [, name = '', argument] = /^([^=]*)(?:=(.*))?$/s.exec(text ?? '')!;
  const objects = (print: (printable: Printable, options: { noHeaders: boolean }) => string): Format => ({
    is: 'objects',
    print,
  });
  const needed = (): string => {
    if (argument) return argument;
    throw new CliError(`template format specified but no template given (-o ${name}=…)`);
  };
  switch (name) {
    case '':
      return { is: 'table', wide: false };
    case 'wide':
      return { is: 'table', wide: true };
    case 'json':
      return objects(printable => toJson(rootOf(printable)));
    case 'yaml':
      return objects(printable => toYaml(rootOf(printable)));
    case 'name':
      return objects(printable => printable.objects.map(object => `${nameOf(object)}\n`).join(''));
    case 'jsonpath':
    case 'jsonpath-file': {
      const template = parseTemplate(name === 'jsonpath' ? needed() : readFileSync(needed(), 'utf8'));
      return objects(printable => renderTemplate(template, rootOf(printable)));
    }
    case 'custom-columns':
    case 'custom-columns-file': {
      const columns = parseCustomColumns(name === 'custom-columns' ? (argument ?? '') : columnsFile(needed()));
      return objects((printable, { noHeaders }) => customColumnsText(columns, printable.objects, noHeaders));
    }
    default:
      throw new CliError(
        `unable to match a printer suitable for the output format ${JSON.stringify(text)}, allowed formats are: ${known}`,
      );
  }
};

const rootOf = ({ objects, single }: Printable): unknown =>
  single ? objects[0] : { apiVersion: 'v1', items: objects, kind: 'List', metadata: { resourceVersion: '' } };

/** Two lines, headers above paths, as kubectl's custom-columns-file has it. */
const columnsFile = (path: string): string => {
  const [headers = [], paths = []] = readFileSync(path, 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/));
  if (headers.length !== paths.length)
    throw new CliError(`number of headers and field specifications don't match in ${path}`);
  return headers.map((header, i) => `${header}:${paths[i]}`).join(',');
};

/** Without metadata.managedFields, which nobody wants to read unless asked for. */
export const withoutManagedFields = <T extends object>(object: T): T => {
  const { metadata } = object as { metadata?: object };
  if (!metadata || !('managedFields' in metadata)) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: rest };
};
