/**
 * JSON text to a value. A key that one object gives twice is found only when asked for, by a second look at the text,
 * because only clients that validate strictly care and JSON.parse is much faster than any scanner.
 */
import { jsonSyntaxFault } from './json-syntax.ts';
import { badRequest } from './status.ts';

export interface DecodedJson {
  readonly value: unknown;
  /** Paths of keys given more than once, such as `spec.containers[0].image`; empty unless asked for. */
  readonly duplicateFields: readonly string[];
}

/** Throws BadRequest, with only what is wrong as its message, when the text is no JSON. */
export const decodeJson = (text: string, options: { readonly duplicates?: boolean } = {}): DecodedJson => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badRequest(jsonSyntaxFault(text) ?? (error as Error).message);
  }
  return { value, duplicateFields: options.duplicates ? findDuplicates(text) : [] };
};

interface Level {
  readonly path: string;
  /** Keys seen so far; undefined for a list. */
  readonly keys: Set<string> | undefined;
  index: number;
  key: string;
}

// Strings and brackets are all that matters; the text is known to be valid JSON.
const tokenPattern = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\],]/g;

const findDuplicates = (text: string): readonly string[] => {
  const duplicates = new Set<string>();
  const levels: Level[] = [];
  for (const match of text.matchAll(tokenPattern)) {
    const token = match[0];
    const level = levels.at(-1);
    if (token === '{' || token === '[')
      levels.push({
        path: level === undefined ? '' : pathIn(level),
        keys: token === '{' ? new Set() : undefined,
        index: 0,
        key: '',
      });
    else if (token === '}' || token === ']') levels.pop();
    else if (token === ',') {
      if (level !== undefined) level.index++;
    } else if (match[1] !== undefined && level?.keys !== undefined) {
      level.key = JSON.parse(token.slice(0, token.length - match[1].length)) as string;
      if (level.keys.has(level.key)) duplicates.add(pathIn(level));
      level.keys.add(level.key);
    }
  }
  return [...duplicates];
};

const pathIn = (level: Level): string => {
  if (level.keys === undefined) return `${level.path}[${level.index}]`;
  return level.path === '' ? level.key : `${level.path}.${level.key}`;
};
