/**
 * One YAML document to a value, as Go's YAML reads it for Kubernetes: version 1.1 (`yes` and `on` are booleans, `0644` is octal),
 * but `1:30` and dates stay texts. A key that stands twice counts with its last value and is reported.
 */
import { LineCounter, parseDocument, type Tags } from 'yaml';

export interface DecodedYaml {
  readonly value: unknown;
  /** Such as `line 3: key "a" already set in map`. */
  readonly duplicateKeys: readonly string[];
}

/** Throws YamlError. */
export const decodeYaml = (text: string): DecodedYaml => {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...asGoReads, lineCounter: lines });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const fault = document.errors.find(({ code }) => code !== 'DUPLICATE_KEY');
  if (fault !== undefined) {
    const why = fault.code === 'MULTIPLE_DOCS' ? 'more than one document' : readable(fault.message);
    throw new YamlError(`yaml: line ${lineAt(fault.pos[0])}: ${why}`);
  }
  const duplicateKeys = document.errors.map(({ pos }) => {
    const key = /^(?:"(?:[^"\\]|\\.)*"|[^:,}\s]*)/.exec(text.slice(pos[0]))?.[0] ?? '';
    return `line ${lineAt(pos[0])}: key ${key.startsWith('"') ? key : JSON.stringify(key)} already set in map`;
  });
  try {
    return { value: document.toJS({ maxAliasCount }), duplicateKeys };
  } catch (error) {
    const { message } = error as Error;
    throw new YamlError(`yaml: ${/alias count/.test(message) ? 'document contains excessive aliasing' : message}`);
  }
};

export class YamlError extends Error {
  override name = 'YamlError';
}

/** So many copies of anchored parts are made, not more: a few lines could ask for billions. */
const maxAliasCount = 1000;

const readable = (message: string): string => (/call stack/.test(message) ? 'it is nested too deeply' : message);

/** How the yaml library has to read and resolve. */
export const asGoReads = {
  version: '1.1',
  prettyErrors: false,
  logLevel: 'error',
  customTags: (tags: Tags): Tags => [
    ...tags.filter(
      tag => typeof tag === 'string' || (tag.format !== 'TIME' && !String(tag.tag).endsWith(':timestamp')),
    ),
    {
      tag: 'tag:yaml.org,2002:int',
      default: true,
      format: 'OCT',
      test: /^0o[0-7]+$/,
      resolve: (digits: string) => Number(digits),
    },
  ],
} as const;
