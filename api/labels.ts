/**
 * Label selectors, as text (`a=b,c in (d,e),!f`) and as metav1.LabelSelector, and field selectors. Grammar, order of
 * checks and error texts are apimachinery's labels and fields packages. Parsing gives a matcher that is called often;
 * every fault is a 400 BadRequest, because a selector always comes from a request.
 */
import type { Kind } from './kind.ts';
import {
  compileRequirement,
  type LabelRequirement,
  makeRequirement,
  parseLabelRequirements,
} from './label-requirements.ts';
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

/** Operators of label selectors as the symbols that requirements have. */
export const selectorOperators: ReadonlyMap<string, LabelRequirement['operator']> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
] as const);

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
