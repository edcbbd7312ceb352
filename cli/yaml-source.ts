/**
 * YAML 1.1 text with its places. Scalars are read as Go's YAML reads them for kubectl: `yes` and `on` are booleans,
 * `0644` is octal, but `1:30` and dates stay strings.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  parseDocument,
  visit,
  type YAMLParseError,
} from 'yaml';
import { asGoReads } from '#api/yaml.ts';
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
  const control = controlCharacter.exec(text);
  if (control) {
    const where = placeIn(text, control.index, place);
    return { documents: [], failure: syntaxError(source, where, 'control characters are not allowed') };
  }
  const json = /^\s*[{]/.test(text) ? jsonDocuments(source, text, place, duplicatesAreErrors) : undefined;
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
      const fault = fatal ? faultOf(fatal, chunk.text, document) : unreadable(document);
      if (fault) return { documents, failure: syntaxError(source, at(fault.offset), fault.why) };
      documents.push({
        value: document.toJS({ maxAliasCount }),
        duplicates: duplicates.map(error => `${at(error.pos[0]).text}: ${keyTwice(chunk.text, error.pos)}`),
        locate: path => at(offsetOf(document.contents, path)),
      });
    }
  }
  return { documents };
};

/** What YAML does not allow as it stands; tab, line ends and everything printable are fine. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const controlCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]/;
const maxAliasCount = 1000;

const placeIn = (text: string, offset: number, place: (line: number, column: number) => Place): Place => {
  const before = text.slice(0, offset).split('\n');
  return place(before.length, before.at(-1)!.length + 1);
};

interface Fault {
  readonly offset: number;
  readonly why: string;
}

const faultOf = ({ code, pos, message }: YAMLParseError, text: string, document: Document.Parsed): Fault => {
  if (code === 'DUPLICATE_KEY') return { offset: pos[0], why: keyTwice(text, pos) };
  if (/^Missing closing .*quote/.test(message)) return { offset: openQuote(document) ?? pos[0], why: message };
  return { offset: pos[0], why: /call stack/.test(message) ? tooDeep : message };
};

/** Where the last quoted text begins: of an open quote, that tells more than where everything ends. */
const openQuote = (document: Document.Parsed): number | undefined => {
  let offset: number | undefined;
  visit(document, {
    Scalar: (_, { type, range }) => {
      if (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') offset = range?.[0];
    },
  });
  return offset;
};

const tooDeep = 'it is nested too deeply';

/** What a document without syntax errors has that no JSON can be made of, in kubectl's words. */
const unreadable = (document: Document.Parsed): Fault | undefined => {
  const anchors = new Set<string>();
  let fault: Fault | undefined;
  let aliases = 0;
  const found = (node: Node, why: string): symbol => {
    fault = { offset: node.range?.[0] ?? 0, why };
    return visit.BREAK;
  };
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node)) {
        aliases++;
        return anchors.has(node.source) ? undefined : found(node, `unknown anchor '${node.source}' referenced`);
      }
      if (node.anchor) anchors.add(node.anchor);
      if (!isScalar(node) || typeof node.value !== 'number' || Number.isFinite(node.value)) return undefined;
      return found(node, `${node.source ?? node.value} is no number that JSON has`);
    },
  });
  if (fault) return fault;
  try {
    document.toJS({ maxAliasCount });
    return undefined;
  } catch (error) {
    return { offset: 0, why: aliases > 0 ? 'document contains excessive aliasing' : (error as Error).message };
  }
};

/** Warnings of the library are ours to tell, or not. */
const yaml11 = { ...asGoReads, logLevel: 'silent' } as const;

const syntaxError = (source: string, where: Place, why: string): CliError =>
  new CliError(
    `error parsing ${source}: error converting YAML to JSON: yaml: line ${where.line}: ${why}\n${where.text}\n${where.excerpt}`,
  );

const keyTwice = (text: string, [from, to]: readonly [number, number]): string => {
  const key = /^[^:\n]*/.exec(text.slice(from, Math.max(to, from + 200)))![0].trim();
  return `key ${key.startsWith('"') ? key : JSON.stringify(key)} already set in map`;
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
  duplicatesAreErrors: boolean,
): Parsed | undefined => {
  const documents: SourceDocument[] = [];
  const failure = (offset: number, why: string): CliError => {
    const where = placeIn(text, offset, place);
    return new CliError(`error parsing ${source}: json: ${why}\n${where.text}\n${where.excerpt}`);
  };
  for (let start = 0; text.slice(start).trim() !== ''; ) {
    const rest = text.slice(start);
    const { value, end, why } = firstJson(rest);
    if (why !== undefined) {
      if (!/^\s*\{\s*["}]/.test(rest)) return undefined;
      return { documents, failure: failure(start + end, why) };
    }
    // JSON is YAML: read as that, it tells its places and the keys that stand twice.
    const at = start;
    const document = parseDocument(rest.slice(0, end), yaml11);
    const duplicates = document.errors.filter(error => error.code === 'DUPLICATE_KEY');
    if (duplicates[0] && duplicatesAreErrors)
      return { documents, failure: failure(at + duplicates[0].pos[0], keyTwice(rest, duplicates[0].pos)) };
    documents.push({
      value,
      duplicates: duplicates.map(
        error => `${placeIn(text, at + error.pos[0], place).text}: ${keyTwice(rest, error.pos)}`,
      ),
      locate: path => placeIn(text, at + offsetOf(document.contents, path), place),
    });
    start += end;
  }
  return { documents };
};

/** The JSON value that a text begins with and where it ends; or why there is none, and where. */
const firstJson = (text: string): { readonly value?: unknown; readonly end: number; readonly why?: string } => {
  try {
    return { value: JSON.parse(text), end: text.length };
  } catch (error) {
    const { message } = error as Error;
    const end = positionIn(message) ?? endOfGood(text);
    if (message.includes('after JSON at position')) return { value: JSON.parse(text.slice(0, end)), end };
    return { end, why: message.replace(/ in JSON at position.*$| \(line \d+.*$|, (\.\.\.)?".*$/s, '') };
  }
};

const positionIn = (message: string): number | undefined => {
  const found = /at position (\d+)/.exec(message);
  return found ? Number(found[1]) : undefined;
};

/** Where the first wrong character is. The engine does not say it of short texts; so only those are tried. */
const endOfGood = (text: string): number => {
  for (let length = 1; length <= Math.min(text.length, 1000); length++) {
    try {
      JSON.parse(text.slice(0, length));
    } catch (error) {
      const { message } = error as Error;
      const isOnlyShort = message.includes('end of JSON input') || positionIn(message) === length;
      if (!isOnlyShort) return length - 1;
    }
  }
  return text.trimEnd().length;
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
