/**
 * Sets of fields in the form that managedFields stores them (FieldsV1): a tree whose keys are path elements, `f:NAME` for a
 * field, `k:{…}` for the list item with those keys, `v:VALUE` for an item of a set, `i:N` for a position. A node without
 * children is a member of the set; one with children is a member when it has the key `.`. The stored JSON is the data
 * structure: every function returns a new tree, which shares what did not change.
 */
import { isMap } from './json-map.ts';

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

export const noFields: FieldSet = Object.freeze({});

/** A member without children. */
const leaf: FieldSet = Object.freeze({});
const self = '.';

/** True for a set without members. (As a node of a tree the same value is a member: see the form above.) */
export const isEmptySet = (set: FieldSet): boolean => !hasChildren(set);

export const unionOf = (a: FieldSet, b: FieldSet): FieldSet => {
  if (isEmptySet(a)) return b;
  if (isEmptySet(b)) return a;
  return unionNodes(a, b);
};

/** What is in a and not in b. */
export const differenceOf = (a: FieldSet, b: FieldSet): FieldSet =>
  isEmptySet(a) || isEmptySet(b) ? a : (subtractChildren(a, b) ?? noFields);

/** What is in both. */
export const intersectionOf = (a: FieldSet, b: FieldSet): FieldSet =>
  isEmptySet(a) || isEmptySet(b) ? noFields : (intersectChildren(a, b) ?? noFields);

export const isMember = (node: FieldSet): boolean => Object.hasOwn(node, self) || !hasChildren(node);

/** The node of a member with these children. */
export const memberNode = (children: FieldSet | undefined): FieldSet =>
  children === undefined || !hasChildren(children) ? leaf : { [self]: leaf, ...children };

/** The set in which every field that has members below it is a member too. */
export const withNamedParents = (set: FieldSet): FieldSet => {
  const result: Record<string, FieldSet> = {};
  for (const [element, node] of entriesOf(set)) {
    const below = hasChildren(node) ? withNamedParents(node) : undefined;
    const member = isMember(node) || element.startsWith('f:');
    result[element] = member ? memberNode(below) : (below ?? leaf);
  }
  return result;
};

/** The paths of all members: at each node its own members first, then what is below, each in order. */
export const pathsOf = (set: FieldSet): readonly (readonly string[])[] => {
  const paths: string[][] = [];
  const visit = (node: FieldSet, prefix: readonly string[]): void => {
    const entries = entriesOf(node).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [element, child] of entries) if (isMember(child)) paths.push([...prefix, element]);
    for (const [element, child] of entries) if (hasChildren(child)) visit(child, [...prefix, element]);
  };
  visit(set, []);
  return paths;
};

/** A path as error messages write it: `.spec.containers[name="a"].image`. */
export const pathText = (path: readonly string[]): string => path.map(elementText).join('');

/** The set of FieldsV1 from a client; undefined when it is none. */
export const parseFieldsV1 = (json: unknown): FieldSet | undefined =>
  isMap(json) &&
  Object.entries(json).every(([element, node]) => isElement(element) && parseFieldsV1(node) !== undefined)
    ? (json as FieldSet)
    : undefined;

/** The path element of a list item that has these keys. */
export const keyElement = (keys: Readonly<Record<string, unknown>>): string => {
  const sorted = Object.keys(keys)
    .sort()
    .map(name => [name, keys[name]]);
  return `k:${JSON.stringify(Object.fromEntries(sorted))}`;
};

export const fieldElement = (name: string): string => `f:${name}`;
export const valueElement = (value: unknown): string => `v:${JSON.stringify(value)}`;

const isElement = (element: string): boolean => {
  if (element === self || element.startsWith('f:')) return true;
  if (element.startsWith('i:')) return /^i:\d+$/.test(element);
  return (
    (element.startsWith('k:') && isMap(jsonOf(element))) || (element.startsWith('v:') && jsonOf(element) !== undefined)
  );
};

const jsonOf = (element: string): unknown => {
  try {
    return JSON.parse(element.slice(2));
  } catch {
    return undefined; // Not JSON: the caller refuses the element.
  }
};

const elementText = (element: string): string => {
  const text = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return `.${text}`;
    case 'v:':
      return `[=${text}]`;
    case 'i:':
      return `[${text}]`;
    default: {
      const keys = Object.entries((jsonOf(element) ?? {}) as object);
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
    }
  }
};

const hasChildren = (node: FieldSet): boolean => {
  for (const element in node) if (element !== self) return true;
  return false;
};

const entriesOf = (node: FieldSet): [string, FieldSet][] =>
  Object.entries(node).filter(([element]) => element !== self);

/** A node, or undefined when it is neither a member nor has any below. */
const nodeOf = (member: boolean, children: Record<string, FieldSet>): FieldSet | undefined => {
  if (!hasChildren(children)) return member ? leaf : undefined;
  return member ? { [self]: leaf, ...children } : children;
};

const unionNodes = (a: FieldSet, b: FieldSet): FieldSet => {
  const result: Record<string, FieldSet> = { ...a };
  for (const element in b) {
    const mine = a[element];
    const other = b[element] ?? leaf;
    if (element === self || mine === undefined) result[element] = other;
    else if (mine !== other) {
      const below = unionNodes(mine, other);
      result[element] = isMember(mine) || isMember(other) ? memberNode(below) : below;
    }
  }
  return result;
};

const subtractChildren = (a: FieldSet, b: FieldSet): FieldSet | undefined => {
  const children: Record<string, FieldSet> = {};
  for (const [element, mine] of entriesOf(a)) {
    const other = b[element];
    const rest = other === undefined ? mine : subtractNode(mine, other);
    if (rest !== undefined) children[element] = rest;
  }
  return nodeOf(false, children);
};

const subtractNode = (a: FieldSet, b: FieldSet): FieldSet | undefined =>
  nodeOf(isMember(a) && !isMember(b), { ...subtractChildren(a, b) });

const intersectChildren = (a: FieldSet, b: FieldSet): FieldSet | undefined => {
  const children: Record<string, FieldSet> = {};
  for (const [element, mine] of entriesOf(a)) {
    const other = b[element];
    const common =
      other === undefined
        ? undefined
        : nodeOf(isMember(mine) && isMember(other), { ...intersectChildren(mine, other) });
    if (common !== undefined) children[element] = common;
  }
  return nodeOf(false, children);
};
