/** What a JSONPath template finds in an object. A missing key gives no result, as kubectl get has it. */
import { JsonPathError, type Operand, type Part, type Path, type Step, type Template } from './jsonpath-parse.ts';

/** The text that the template gives for `root`. */
export const renderTemplate = (template: Template, root: unknown): string => render(template.parts, root, root);

/** Every value that the template's paths find, in order. */
export const findValues = (template: Template, root: unknown): readonly unknown[] =>
  template.parts.flatMap(part => (part.is === 'path' ? follow(part.path, root, root) : []));

/** A value as JSONPath prints it. */
export const valueText = (value: unknown): string =>
  typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);

const render = (parts: readonly Part[], root: unknown, current: unknown): string =>
  parts
    .map(part => {
      if (part.is === 'text') return part.text;
      const found = follow(part.path, root, current);
      if (part.is === 'path') return found.map(valueText).join(' ');
      return found.map(item => render(part.body, root, item)).join('');
    })
    .join('');

const follow = (path: Path, root: unknown, current: unknown): readonly unknown[] =>
  walk(path.steps, [path.fromRoot ? root : current], root);

const walk = (steps: readonly Step[], values: readonly unknown[], root: unknown): readonly unknown[] => {
  let found = values;
  for (const step of steps) found = found.flatMap(value => take(step, value, root));
  return found;
};

const take = (step: Step, value: unknown, root: unknown): readonly unknown[] => {
  switch (step.at) {
    case 'field': {
      if (!isMap(value)) return [];
      const item = value[step.name];
      return item === undefined ? [] : [item];
    }
    case 'all':
      return childrenOf(value);
    case 'deep':
      return descendants(value);
    case 'index':
      return Array.isArray(value) ? slice(step, value) : [];
    case 'union':
      return step.choices.flatMap(choice => walk(choice, [value], root));
    case 'filter':
      return childrenOf(value).filter(item => holds(step, item, root));
  }
};

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const childrenOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value)
    ? value
    : isMap(value)
      ? Object.keys(value)
          .sort()
          .map(key => value[key])
      : [];
const descendants = (value: unknown): readonly unknown[] => [value, ...childrenOf(value).flatMap(descendants)];

const slice = (step: Step & { at: 'index' }, list: readonly unknown[]): readonly unknown[] => {
  const at = (i: number) => (i < 0 ? i + list.length : i);
  if (step.one) {
    const index = at(step.from!);
    if (index < 0 || index >= list.length) {
      throw new JsonPathError(`array index out of bounds: index ${step.from}, length ${list.length}`);
    }
    return [list[index]];
  }
  const from = at(step.from ?? 0);
  const to = Math.min(at(step.to ?? list.length), list.length);
  const found: unknown[] = [];
  for (let i = Math.max(0, from); i < to; i += step.step) found.push(list[i]);
  return found;
};

const holds = (filter: Step & { at: 'filter' }, item: unknown, root: unknown): boolean => {
  const value = (operand: Operand): readonly unknown[] =>
    'path' in operand ? follow(operand.path, root, item) : [operand.value];
  const left = value(filter.left);
  if (filter.op === 'exists') return left.length > 0;
  const right = value(filter.right!);
  if (left.length === 0 || right.length === 0) return false;
  return compare(left[0], filter.op, right[0]);
};

const compare = (a: unknown, op: string, b: unknown): boolean => {
  if (op === '==') return a === b;
  if (op === '!=') return a !== b;
  if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string')) return false;
  const left = a as number;
  const right = b as number;
  return op === '<' ? left < right : op === '<=' ? left <= right : op === '>' ? left > right : left >= right;
};
