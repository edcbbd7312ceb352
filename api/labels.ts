/**
 * Label selectors, as text (`a=b,c in (d,e),!f`) and as metav1.LabelSelector, and field selectors. Grammar, order of
 * checks and error texts are apimachinery's labels and fields packages. Parsing gives a matcher that is called often;
 * every fault is a 400 BadRequest, because a selector always comes from a request.
 */
import type { Kind } from './kind.ts';
import { labelValueFaults, qualifiedNameFaults } from './label-names.ts';
import type { KubeObject } from './object.ts';
import { badRequest } from './status.ts';

export type Labels = Readonly<Record<string, string>>;

/** True when the labels are selected; no labels at all is an empty set of labels. */
export type LabelMatcher = (labels: Labels | undefined) => boolean;

export interface LabelSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}

export interface LabelSelector {
  readonly matchLabels?: Labels | undefined;
  readonly matchExpressions?: readonly LabelSelectorRequirement[] | undefined;
}

/** The matcher of selector text; empty text selects everything. Throws BadRequest with upstream's text. */
export const parseLabelSelector = (text: string): LabelMatcher => {
  const requirements = parseLabelRequirements(text);
  const tests = requirements.map(compileRequirement);
  if (tests.length === 0) return () => true;
  return labels => tests.every(test => test(labels ?? {}));
};

/** The matcher of a metav1.LabelSelector; undefined selects nothing, `{}` everything. An invalid one throws BadRequest. */
export const compileLabelSelector = (selector: LabelSelector | undefined): LabelMatcher => {
  if (selector === undefined) return () => false;
  const tests = [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => makeRequirement(key, '=', [value])),
    ...(selector.matchExpressions ?? []).map(({ key, operator, values }) => {
      const symbol = selectorOperators.get(operator);
      if (symbol === undefined) throw badRequest(`"${operator}" is not a valid label selector operator`);
      return makeRequirement(key, symbol, values ?? []);
    }),
  ].map(compileRequirement);
  return labels => tests.every(test => test(labels ?? {}));
};

/** As compileLabelSelector, for one look; an invalid expression selects nothing. */
export const labelSelectorMatches = (selector: LabelSelector | undefined, labels: Labels | undefined): boolean => {
  if (selector === undefined) return false;
  const has = labels ?? {};
  for (const key in selector.matchLabels) if (has[key] !== selector.matchLabels[key]) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = Object.hasOwn(has, key) ? has[key] : undefined;
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return false;
    }
  });
};

/** One comparison of label selector text. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';
  readonly values: readonly string[];
}

const selectorOperators: ReadonlyMap<string, LabelRequirement['operator']> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
] as const);

/** int64 in base 10 as Go's strconv reads it, or undefined. */
export const parseInt64 = (text: string): bigint | undefined => {
  if (text.length > 32 || !/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return value === BigInt.asIntN(64, value) ? value : undefined;
};

/** The matcher of one requirement. */
export const compileRequirement = ({ key, operator, values }: LabelRequirement): ((labels: Labels) => boolean) => {
  const first = values[0] ?? '';
  switch (operator) {
    case '=':
    case '==':
      return labels => labels[key] === first;
    case '!=':
      return labels => labels[key] !== first;
    case 'in':
      return labels => labels[key] !== undefined && values.includes(labels[key]);
    case 'notin':
      return labels => labels[key] === undefined || !values.includes(labels[key]);
    case 'exists':
      return labels => labels[key] !== undefined;
    case '!':
      return labels => labels[key] === undefined;
    default:
      return labels => {
        const has = parseInt64(labels[key] ?? '');
        const bound = parseInt64(first);
        return has !== undefined && bound !== undefined && (operator === 'gt' ? has > bound : has < bound);
      };
  }
};

/** All faults of a requirement, in the words of labels.NewRequirement. */
export const requirementFaults = ({ key, operator, values }: LabelRequirement): readonly string[] => {
  const shown = `[${values.join(' ')}]`;
  const faults: string[] = [];
  const keyFaults = qualifiedNameFaults(key);
  if (keyFaults.length > 0) faults.push(`<nil>: Invalid value: ${JSON.stringify(key)}: ${keyFaults.join('; ')}`);
  if ((operator === 'in' || operator === 'notin') && values.length === 0)
    faults.push(`values: Invalid value: ${shown}: for 'in', 'notin' operators, values set can't be empty`);
  if ((operator === '=' || operator === '==' || operator === '!=') && values.length !== 1)
    faults.push(`values: Invalid value: ${shown}: exact-match compatibility requires one single value`);
  if ((operator === 'exists' || operator === '!') && values.length !== 0)
    faults.push(`values: Invalid value: ${shown}: values set must be empty for exists and does not exist`);
  if (operator === 'gt' || operator === 'lt') {
    if (values.length !== 1)
      faults.push(`values: Invalid value: ${shown}: for 'Gt', 'Lt' operators, exactly one value is required`);
    values.forEach((value, i) => {
      if (parseInt64(value) === undefined)
        faults.push(
          `values[${i}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
        );
    });
  }
  values.forEach((value, i) => {
    const valueFaults = labelValueFaults(value);
    if (valueFaults.length > 0)
      faults.push(`values[${i}][${key}]: Invalid value: ${JSON.stringify(value)}: ${valueFaults.join('; ')}`);
  });
  return faults;
};

const makeRequirement = (
  key: string,
  operator: LabelRequirement['operator'],
  values: readonly string[],
): LabelRequirement => {
  const requirement = { key, operator, values };
  const faults = requirementFaults(requirement);
  if (faults.length === 0) return requirement;
  throw badRequest(`unable to parse requirement: ${faults.length === 1 ? faults[0] : `[${faults.join(', ')}]`}`);
};

// Symbols first (the longest wins), then words; a sequence of symbols is cut greedily, as upstream's lexer cuts it.
const tokenPattern = /\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)/y;
const binaryOperators: ReadonlyMap<string, LabelRequirement['operator']> = new Map([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '=='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
] as const);

const tokensOf = (text: string): readonly string[] => {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  for (let match = tokenPattern.exec(text); match !== null; match = tokenPattern.exec(text))
    tokens.push(match[1] ?? '');
  return tokens;
};

const isIdentifier = (token: string): boolean => token !== '' && !/^[=!(),<>]/.test(token);

/** The requirements of label selector text, in order. Throws BadRequest. */
export const parseLabelRequirements = (text: string): readonly LabelRequirement[] => {
  const parser = new LabelSelectorParser(tokensOf(text));
  return parser.parse();
};

/** Recursive descent over the tokens; the end of the text reads as an empty token. */
class LabelSelectorParser {
  #at = 0;
  readonly #tokens: readonly string[];

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  parse(): readonly LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    if (this.#next === '') return requirements;
    if (!this.#startsRequirement) throw found(this.#next, "!, identifier, or 'end of string'");
    for (;;) {
      requirements.push(this.#requirement());
      const token = this.#take();
      if (token === '') return requirements;
      if (token !== ',') throw found(token, "',' or 'end of string'");
      if (!this.#startsRequirement) throw found(this.#next, "identifier after ','");
    }
  }

  get #next(): string {
    return this.#tokens[this.#at] ?? '';
  }

  get #startsRequirement(): boolean {
    return this.#next === '!' || isIdentifier(this.#next);
  }

  #take(): string {
    const token = this.#next;
    this.#at++;
    return token;
  }

  #requirement(): LabelRequirement {
    const absent = this.#next === '!';
    if (absent) this.#at++;
    const key = this.#take();
    if (!isIdentifier(key)) throw unparsable(key, 'identifier');
    if (absent) return makeRequirement(key, '!', []);
    if (this.#next === '' || this.#next === ',') return makeRequirement(key, 'exists', []);
    const token = this.#take();
    const operator = binaryOperators.get(token);
    if (operator === undefined) throw unparsable(token, 'in, notin, =, ==, !=, gt, lt');
    const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()];
    return makeRequirement(key, operator, [...new Set(values)].sort());
  }

  #exactValue(): string {
    if (this.#next === '' || this.#next === ',') return '';
    const token = this.#take();
    if (!isIdentifier(token)) throw unparsable(token, 'identifier');
    return token;
  }

  /** `(a,b)`; an empty place between commas is the empty value. */
  #values(): readonly string[] {
    const open = this.#take();
    if (open !== '(') throw badRequest(`unable to parse requirement: found '${open}' expected: '('`);
    const values: string[] = [];
    if (this.#next !== ')' && this.#next !== ',' && !isIdentifier(this.#next))
      throw unparsable(this.#next, "',', ')' or identifier");
    for (;;) {
      values.push(isIdentifier(this.#next) ? this.#take() : '');
      const token = this.#take();
      if (token === ')') return values;
      if (token !== ',') throw unparsable(token, "',' or ')'");
      if (this.#next !== ',' && this.#next !== ')' && !isIdentifier(this.#next))
        throw unparsable(this.#next, "',', or identifier");
    }
  }
}

const found = (token: string, expected: string) => badRequest(`found '${token}', expected: ${expected}`);
const unparsable = (token: string, expected: string) =>
  badRequest(`unable to parse requirement: found '${token}', expected: ${expected}`);

/** One comparison of a field selector; the value may be empty (`involvedObject.namespace=`). */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** The comparisons of field selector text (`a=b,c!=d`; `\` escapes `,`, `=` and itself in values). Throws BadRequest. */
export const parseFieldSelector = (text: string): readonly FieldRequirement[] =>
  splitTerms(text)
    .filter(term => term !== '')
    .map(term => {
      const match = /^((?:[^\\!=]|\\.|!(?!=))*)(!=|==|=)([\s\S]*)$/.exec(term);
      if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      const [, field = '', operator, value = ''] = match;
      return { field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(value) } as const;
    });

/** The matcher of field requirements on objects of a kind; a field that the kind does not select by throws BadRequest. */
export const fieldMatcher = <T extends KubeObject>(
  kind: Kind<T>,
  requirements: readonly FieldRequirement[],
): ((object: T) => boolean) => {
  const tests = requirements.map(({ field, operator, value }) => {
    const read = fieldReader(kind, field);
    return operator === '=' ? (object: T) => read(object) === value : (object: T) => read(object) !== value;
  });
  return object => tests.every(test => test(object));
};

const fieldReader = <T extends KubeObject>(kind: Kind<T>, field: string): ((object: T) => string) => {
  if (field === 'metadata.name') return object => object.metadata.name;
  if (field === 'metadata.namespace') return object => object.metadata.namespace ?? '';
  const read = Object.hasOwn(kind.selectable, field) ? kind.selectable[field] : undefined;
  if (read !== undefined) return read;
  if (Object.keys(kind.selectable).length > 0) throw badRequest(`field label not supported: ${field}`);
  throw badRequest(
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
};

const splitTerms = (text: string): readonly string[] => text.match(/(?:[^\\,]|\\[\s\S]|\\$)+/g) ?? [];

const unescapeValue = (text: string): string => {
  let value = '';
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '=' || character === ',')
      throw badRequest(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`);
    if (character !== '\\') {
      value += character;
      continue;
    }
    const escaped = text.charAt(++i);
    if (escaped !== '\\' && escaped !== ',' && escaped !== '=')
      throw badRequest(`invalid field selector: invalid escape sequence: \\${escaped}`);
    value += escaped;
  }
  return value;
};
