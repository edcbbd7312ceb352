/**
 * The comparisons that selectors are made of, and the parser of label selector text: grammar, order of checks and error
 * texts are those of apimachinery's labels package.
 */
import { labelValueFaults, qualifiedNameFaults } from './label-names.ts';
import { badRequest } from './status.ts';

type Labels = Readonly<Record<string, string>>;

/** One comparison of label selector text. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';
  readonly values: readonly string[];
}

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

/** The requirement, checked. Throws BadRequest. */
export const makeRequirement = (
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
