/**
 * YAML 1.1 text with its places. Scalars are read as Go's YAML reads them for kubectl: `yes` and `on` are booleans,
 * `0644` is octal, but `1:30` and dates stay strings.
 */
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, type Tags } from 'yaml';
import { CliError } from './failure.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
  /** `file:line:column`. */
  readonly text: string;
  /** The line with a mark under the column. */
  readonly excerpt: string;
}

export interface SourceDocument {
  readonly value: unknown;
  /** A sentence for each key that stands twice in its mapping. */
  readonly duplicates: readonly string[];
  locate(path: string): Place;
}

export interface Parsed {
  readonly documents: readonly SourceDocument[];
  /** What ended the reading early. */
  readonly failure?: unknown;
}

/** The documents of a file up to its first syntax error. */
export const parseDocuments = (source: string, text: string, duplicatesAreErrors: boolean): Parsed => {
  const lines = text.split('\n');
  const place = (line: number, column: number): Place => ({
    line,
    column,
    text: `${source}:${line}:${column}`,
    excerpt: excerptOf(lines[line - 1] ?? '', line, column),
  });
  const json = /^\s*[{]/.test(text) ? jsonDocuments(source, text, place) : undefined;
  if (json) return json;
  const documents: SourceDocument[] = [];
  for (const chunk of chunksOf(lines)) {
    const counter = new LineCounter();
    // What is missing at the end shows at the end of the last line that has something.
    const end = chunk.text.trimEnd().length;
    const at = (offset: number): Place => {
      const { line, col } = counter.linePos(Math.min(offset, end));
      return place(line + chunk.firstLine, Math.max(1, col));
    };
    for (const document of parseAllDocuments(chunk.text, { ...yaml11, lineCounter: counter }) as Document.Parsed[]) {
      const duplicates = document.errors.filter(error => error.code === 'DUPLICATE_KEY');
      const fatal = duplicatesAreErrors ? document.errors[0] : document.errors.find(e => e.code !== 'DUPLICATE_KEY');
      if (fatal) {
        const where = at(fatal.pos[0]);
        const why = fatal.code === 'DUPLICATE_KEY' ? keyTwice(chunk.text, fatal.pos) : fatal.message;
        return { documents, failure: syntaxError(source, where, why) };
      }
      documents.push({
        value: document.toJS({ maxAliasCount: 1000 }),
        duplicates: duplicates.map(error => `${at(error.pos[0]).text}: ${keyTwice(chunk.text, error.pos)}`),
        locate: path => at(offsetOf(document.contents, path)),
      });
    }
  }
  return { documents };
};

const yaml11 = {
  version: '1.1',
  prettyErrors: false,
  logLevel: 'silent',
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

const syntaxError = (source: string, where: Place, why: string): CliError =>
  new CliError(
    `error parsing ${source}: error converting YAML to JSON: yaml: line ${where.line}: ${why}\n${where.text}\n${where.excerpt}`,
  );

const keyTwice = (text: string, [from, to]: readonly [number, number]): string => {
  const key = /^[^:\n]*/.exec(text.slice(from, Math.max(to, from + 200)))![0].trim();
  return `key ${JSON.stringify(key)} already set in map`;
};

const excerptOf = (line: string, number: number, column: number): string => {
  const shown = line.length > 160 ? `${line.slice(0, 160)}…` : line;
  const gutter = String(number).padStart(4);
  const before = shown.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return `${gutter} | ${shown}\n${' '.repeat(gutter.length)} | ${before}^`;
};

/** Splits at `---` lines first, as kubectl does, so that a fault in one document cannot swallow the one before it. */
const chunksOf = (lines: readonly string[]): { text: string; firstLine: number }[] => {
  const chunks: { text: string; firstLine: number }[] = [];
  let start = 0;
  for (let i = 0; i <= lines.length; i++) {
    if (i < lines.length && !/^---\s*$/.test(lines[i]!)) continue;
    chunks.push({ text: lines.slice(start, i).join('\n'), firstLine: start });
    start = i + 1;
  }
  return chunks;
};

/** One JSON document or several after one another; undefined when the braces are those of flow-style YAML. */
const jsonDocuments = (
  source: string,
  text: string,
  place: (line: number, column: number) => Place,
): Parsed | undefined => {
  const documents: SourceDocument[] = [];
  for (let rest = text; rest.trim() !== ''; ) {
    try {
      documents.push({ value: JSON.parse(rest), duplicates: [], locate: () => place(1, 1) });
      return { documents };
    } catch (error) {
      const { message } = error as Error;
      const offset = jsonFaultAt(message, rest);
      if (message.includes('after JSON at position')) {
        documents.push({ value: JSON.parse(rest.slice(0, offset)), duplicates: [], locate: () => place(1, 1) });
        rest = rest.slice(offset);
        continue;
      }
      if (!/^\s*\{\s*["}]/.test(rest)) return undefined;
      const before = text.slice(0, text.length - rest.length + offset).split('\n');
      const where = place(before.length, before.at(-1)!.length + 1);
      const what = message.replace(/ in JSON at position.*$| \(line \d+.*$|, (\.\.\.)?".*is not valid JSON$/s, '');
      return {
        documents,
        failure: new CliError(`error parsing ${source}: json: ${what}\n${where.text}\n${where.excerpt}`),
      };
    }
  }
  return { documents };
};

/** Where V8 stumbled: it tells the position of some faults, of others the ten characters before and after. */
const jsonFaultAt = (message: string, text: string): number => {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  const around = /^Unexpected token '(.+?)', (\.\.\.)?"(.*?)"(?:\.\.\.)? is not valid JSON$/s.exec(message);
  if (!around) return text.length;
  const [, token = '', cut, excerpt = ''] = around;
  return Math.max(0, cut ? text.indexOf(excerpt) + 10 : text.indexOf(token));
};

/** Where the field is, or the deepest parent of it that is there. */
const offsetOf = (root: Node | null, path: string): number => {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const step of stepsOf(path)) {
    if (isSeq(node)) {
      const isIndex = /^\d+$/.test(step);
      // Decoding names the field but not which item has it: then the first item that has it is meant.
      const item: unknown = isIndex
        ? node.items[Number(step)]
        : node.items.find(candidate => isMap(candidate) && candidate.has(step));
      if (item === undefined) break;
      offset = (item as Node).range?.[0] ?? offset;
      node = item;
      if (isIndex) continue;
    }
    if (!isMap(node)) break;
    const pair = node.items.find(candidate => isScalar(candidate.key) && String(candidate.key.value) === step);
    if (!pair) break;
    offset = (pair.key as Node).range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
};

/** `spec.containers[0].resources.limits[cpu]` → its keys and indexes. */
const stepsOf = (path: string): string[] => [...path.matchAll(/[^.[\]]+/g)].map(match => match[0]);
