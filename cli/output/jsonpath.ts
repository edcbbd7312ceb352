/** What a JSONPath template finds in an object. A missing key gives no result, as kubectl get has it. */
import { toCompactJson } from './json.ts';
import { type Chain, JsonPathError, type Node, type Part, type Template } from './jsonpath-parse.ts';

/** The text that the template gives for `root`; throws JsonPathError. */
export const renderTemplate = (template: Template, root: unknown): string =>
  inTemplate(template, () => render(template.parts, root));

/** Every value that the template's paths find, in order; throws JsonPathError. */
export const findValues = (template: Template, root: unknown): readonly unknown[] =>
  template.parts.flatMap(part => (part.is === 'path' ? walk(part.chain, [root]) : []));

/** What each part of the template finds, a list for each time that it is reached: text finds itself. */
export const findResults = (template: Template, root: unknown): readonly (readonly unknown[])[] =>
  inTemplate(template, () => results(template.parts, root));

/** A value as JSONPath prints it. */
export const valueText = (value: unknown): string =>
  typeof value === 'string' ? value : value === null ? '<nil>' : toCompactJson(value);

const inTemplate = <T>(template: Template, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new JsonPathError(
      `error executing jsonpath ${JSON.stringify(template.text)}: Error executing template: ${error.message}`,
    );
  }
};

const render = (parts: readonly Part[], root: unknown): string =>
  results(parts, root)
    .map(found => found.map(valueText).join(' '))
    .join('');

const results = (parts: readonly Part[], root: unknown): readonly (readonly unknown[])[] =>
  parts.flatMap(part => {
    if (part.is === 'text') return [[part.text]];
    const found = walk(part.chain, [root]);
    return part.is === 'path' ? [found] : found.flatMap(item => results(part.body, item));
  });

const walk = (chain: Chain, values: readonly unknown[]): readonly unknown[] => {
  let found = values;
  for (const node of chain) found = take(node, found);
  return found;
};

const take = (node: Node, values: readonly unknown[]): readonly unknown[] => {
  switch (node.is) {
    case 'value':
      return [node.value];
    case 'field':
      return values.flatMap(value => (isMap(value) && value[node.name] !== undefined ? [value[node.name]] : []));
    case 'all':
      return values.flatMap(childrenOf);
    case 'deep':
      return values.flatMap(descendants);
    case 'slice':
      return values.flatMap(value => sliced(node, value));
    case 'union':
      return node.choices.flatMap(choice => walk(choice, values));
    case 'filter':
      return values.flatMap(value => {
        if (!Array.isArray(value))
          throw new JsonPathError(`${valueText(value)} is not array or slice and cannot be filtered`);
        return value.filter(item => holds(node, item));
      });
  }
};

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const childrenOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  if (!isMap(value)) return [];
  return Object.keys(value)
    .sort()
    .map(key => value[key]);
};

/** Each map and list, before what is in it. */
const descendants = (value: unknown): readonly unknown[] => {
  const children = childrenOf(value);
  return children.length === 0 ? [] : [value, ...children.flatMap(descendants)];
};

const sliced = (node: Node & { is: 'slice' }, value: unknown): readonly unknown[] => {
  if (value === null) return [];
  if (!Array.isArray(value)) throw new JsonPathError(`${kindOf(value)} is not array or slice`);
  const { length } = value;
  const atEnd = (i: number) => (i < 0 ? i + length : i);
  const from = atEnd(node.from ?? 0);
  const to = node.one ? from + 1 : atEnd(node.to ?? length);
  if (from === to) return [];
  const outside = (i: number) => new JsonPathError(`array index out of bounds: index ${i}, length ${length}`);
  if (from < 0 || from >= length) throw outside(from);
  if (to < 0 || to > length) throw outside(to - 1);
  if (from > to) throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`);
  if (node.step <= 0) throw new JsonPathError('step must be > 0');
  return value.slice(from, to).filter((_, i) => i % node.step === 0);
};

const kindOf = (value: unknown): string => (isMap(value) ? 'map[string]interface {}' : typeof value);

const holds = ({ left, op, right }: Node & { is: 'filter' }, item: unknown): boolean => {
  const found = walk(left, [item]);
  if (op === 'exists') return found.length > 0;
  const wanted = found.length === 0 ? [] : walk(right, [item]);
  if (found.length === 0 || wanted.length === 0) return false;
  if (found.length > 1 || wanted.length > 1) throw new JsonPathError('can only compare one element at a time');
  return compare(found[0], op, wanted[0]);
};

const operators: Readonly<Record<string, (a: string | number, b: string | number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

const compare = (a: unknown, op: string, b: unknown): boolean => {
  const holdsFor = operators[op];
  if (!holdsFor) throw new JsonPathError(`unrecognized filter operator ${op}`);
  for (const value of [a, b]) if (typeof value === 'object') throw new JsonPathError('invalid type for comparison');
  if (typeof a !== typeof b) throw new JsonPathError('incompatible types for comparison');
  if (typeof a === 'boolean' && op !== '==' && op !== '!=') throw new JsonPathError('invalid type for comparison');
  return holdsFor(a as string | number, b as string | number);
};
