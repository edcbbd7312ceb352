/**
 * Why a text is no JSON, in the words of Go's encoding/json, which users know from real API servers. Only for texts that
 * JSON.parse has refused: it walks the text once, without recursion, up to the first wrong character.
 */

/** Such as `invalid character '}' looking for beginning of value`; undefined when nothing is wrong. */
export const jsonSyntaxFault = (text: string): string | undefined => {
  const open: ('{' | '[')[] = [];
  let expects: Expectation = 'value';
  let i = 0;
  for (;;) {
    while (i < text.length && isSpace(text.charCodeAt(i))) i++;
    const character = text[i];
    if (character === undefined) return expects === 'end' ? undefined : unexpectedEnd;
    if (expects === 'end') return invalid(text, i, 'after top-level value');
    const inObject = open.at(-1) === '{';
    const step: Step = steps[expects](text, i, inObject);
    if (typeof step === 'string') return step;
    if (step.opens !== undefined) open.push(step.opens);
    if (step.closes === true) open.pop();
    i = step.end;
    expects = step.next ?? (open.length === 0 ? 'end' : 'separator');
  }
};

type Expectation = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'separator' | 'end';
interface Advance {
  readonly end: number;
  readonly opens?: '{' | '[';
  readonly closes?: true;
  /** What comes next; absent: a separator, or the end of the text. */
  readonly next?: Expectation;
}
type Step = Advance | string;

const unexpectedEnd = 'unexpected end of JSON input';
const isSpace = (code: number): boolean => code === 32 || code === 9 || code === 10 || code === 13;

const invalid = (text: string, at: number, where: string): string => {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  const shown = character === "'" ? "\\'" : character === '"' ? '"' : JSON.stringify(character).slice(1, -1);
  return `invalid character '${shown}' ${where}`;
};

const closing: Advance['closes'] = true;

const value = (text: string, at: number): Step => {
  const character = text[at]!;
  switch (character) {
    case '{':
      return { end: at + 1, opens: '{', next: 'key or }' };
    case '[':
      return { end: at + 1, opens: '[', next: 'value or ]' };
    case '"':
      return stringAt(text, at);
    case 't':
      return literal(text, at, 'true');
    case 'f':
      return literal(text, at, 'false');
    case 'n':
      return literal(text, at, 'null');
    default:
      return /[-0-9]/.test(character) ? numberAt(text, at) : invalid(text, at, 'looking for beginning of value');
  }
};

const key = (text: string, at: number): Step => {
  if (text[at] !== '"') return invalid(text, at, 'looking for beginning of object key string');
  const step = stringAt(text, at);
  return typeof step === 'string' ? step : { ...step, next: 'colon' };
};

const steps: Readonly<Record<Exclude<Expectation, 'end'>, (text: string, at: number, inObject: boolean) => Step>> = {
  value,
  'value or ]': (text, at) => (text[at] === ']' ? { end: at + 1, closes: closing } : value(text, at)),
  key,
  'key or }': (text, at) => (text[at] === '}' ? { end: at + 1, closes: closing } : key(text, at)),
  colon: (text, at) => (text[at] === ':' ? { end: at + 1, next: 'value' } : invalid(text, at, 'after object key')),
  separator: (text, at, inObject) => {
    if (text[at] === ',') return { end: at + 1, next: inObject ? 'key' : 'value' };
    if (text[at] === (inObject ? '}' : ']')) return { end: at + 1, closes: closing };
    return invalid(text, at, inObject ? 'after object key:value pair' : 'after array element');
  },
};

const stringAt = (text: string, at: number): Step => {
  for (let i = at + 1; i < text.length; i++) {
    const character = text[i]!;
    if (character === '"') return { end: i + 1 };
    if (character < ' ') return invalid(text, i, 'in string literal');
    if (character !== '\\') continue;
    i++;
    if (text[i] === undefined) return unexpectedEnd;
    if (text[i] === 'u') {
      for (let digits = 0; digits < 4; digits++) {
        i++;
        if (text[i] === undefined) return unexpectedEnd;
        if (!/[0-9a-fA-F]/.test(text[i]!)) return invalid(text, i, 'in \\u hexadecimal character escape');
      }
    } else if (!/["\\/bfnrt]/.test(text[i]!)) return invalid(text, i, 'in string escape code');
  }
  return unexpectedEnd;
};

const literal = (text: string, at: number, word: string): Step => {
  for (let i = 1; i < word.length; i++) {
    if (text[at + i] === undefined) return unexpectedEnd;
    if (text[at + i] !== word[i]) return invalid(text, at + i, `in literal ${word} (expecting '${word[i]}')`);
  }
  return { end: at + word.length };
};

const numberAt = (text: string, at: number): Step => {
  let i = text[at] === '-' ? at + 1 : at;
  const digits = (where: string): string | undefined => {
    if (text[i] === undefined) return unexpectedEnd;
    if (!/[0-9]/.test(text[i]!)) return invalid(text, i, where);
    while (/[0-9]/.test(text[i] ?? '')) i++;
    return undefined;
  };
  if (text[i] === '0') i++;
  else {
    const fault = digits('in numeric literal');
    if (fault !== undefined) return fault;
  }
  if (text[i] === '.') {
    i++;
    const fault = digits('after decimal point in numeric literal');
    if (fault !== undefined) return fault;
  }
  if (text[i] === 'e' || text[i] === 'E') {
    i++;
    if (text[i] === '+' || text[i] === '-') i++;
    const fault = digits('in exponent of numeric literal');
    if (fault !== undefined) return fault;
  }
  return { end: i };
};
