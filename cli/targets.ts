/**
 * What the arguments of get, describe, delete, wait … name: `pods`, `pod a b`, `pod/a node/b`, `pods,nodes`, `all`, or the
 * objects of manifests. The rules and texts are those of kubectl's resource builder.
 */
import type { Cluster } from './cluster.ts';
import { type Resource, resourceNamed } from './discovery.ts';
import { CliError } from './failure.ts';
import { targetsOfFiles } from './file-targets.ts';
import type { Manifest } from './manifests.ts';

/** One resource with the name asked for; without a name: all of them. */
export interface Target {
  readonly resource: Resource;
  readonly name: string | undefined;
  /** Where it is; undefined: in no namespace, or in all. */
  readonly namespace: string | undefined;
  /** What describes it, when it comes from a file. */
  readonly manifest?: Manifest;
}

export type NamedTarget = Target & { readonly name: string };

export interface Targets {
  readonly targets: readonly Target[];
  /** True when objects were asked for one by one: by name or in manifests. */
  readonly named: boolean;
  /** Manifests that could not be read; the others still count. */
  readonly failures: readonly unknown[];
}

/** As much of a command line as chooses objects. */
export interface Choice {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
}

/** An empty selector is none: what a script leaves empty must not mean everything. */
const given = (selector: string | undefined): boolean => (selector ?? '').trim() !== '';

const selects = ({ selector, fieldSelector, all }: Choice): boolean =>
  all === true || given(selector) || given(fieldSelector);

export interface ChoiceRules {
  /** A bare type does not mean all of it. */
  readonly explicit: boolean;
  /** `--all` beside names is no fault; the names count. */
  readonly allBesideNames?: boolean;
}

/** The targets of a command line. Throws CliError. */
export const chooseTargets = async (
  cluster: Cluster,
  args: readonly string[],
  choice: Choice,
  rules: ChoiceRules,
): Promise<Targets> => {
  if (choice.filename) {
    if (args.length > 0)
      throw new CliError(
        'when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well',
      );
    return targetsOfFiles(cluster, choice.filename, choice);
  }
  if (args.length === 0)
    throw new CliError(selects(choice) ? 'at least one resource must be specified to use a selector' : missingResource);
  if (choice.all && (given(choice.selector) || given(choice.fieldSelector)))
    throw new CliError("setting 'all' parameter but found a non empty selector. ");
  const selected = selects(rules.allBesideNames ? { ...choice, all: false } : choice);
  const { asked, named } = parseTargets(args, await cluster.resources(), selected);
  if (!named && rules.explicit && !selects(choice))
    throw new CliError('resource(s) were provided, but no name was specified');
  const targets = asked.map(({ resource, name }) => {
    if (named && choice.allNamespaces && resource.namespaced)
      throw new CliError('a resource cannot be retrieved by name across all namespaces');
    return { resource, name, namespace: resource.namespaced && !choice.allNamespaces ? cluster.namespace : undefined };
  });
  return { targets, named, failures: [] };
};

export const missingResource = `You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`;

interface Asked {
  readonly resource: Resource;
  readonly name: string | undefined;
}

/** Reads the arguments; `selected` says that a selector or --all chooses the objects. Throws CliError. */
export const parseTargets = (
  args: readonly string[],
  resources: readonly Resource[],
  selected: boolean,
): { asked: readonly Asked[]; named: boolean } => {
  if (args.some(arg => arg.includes('/'))) return { asked: pairs(args, resources, selected), named: true };
  const [types = '', ...names] = args;
  if (names.includes('')) throw new CliError('resource name may not be empty');
  const words = types.split(',');
  // `pods,cm a b` is short for `pods/a pods/b cm/a cm/b`.
  if (words.length > 1 && names.length > 0)
    return {
      asked: pairs(
        words.flatMap(word => names.map(name => `${word}/${name}`)),
        resources,
        selected,
      ),
      named: true,
    };
  if (selected && names.length > 0) throw new CliError('name cannot be provided when a selector is specified');
  const kinds = words.flatMap(word => (word === 'all' ? allOf(resources) : [resourceNamed(resources, word)]));
  if (names.length === 0) return { asked: kinds.map(resource => ({ resource, name: undefined })), named: false };
  if (kinds.length > 1) throw new CliError('you must specify only one resource');
  return { asked: names.map(name => ({ resource: kinds[0]!, name })), named: true };
};

const mixedForms =
  "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'berth get resource/<resource_name>' instead of 'berth get resource resource/<resource_name>'";

/** `TYPE/NAME` words. */
const pairs = (args: readonly string[], resources: readonly Resource[], selected: boolean): readonly Asked[] => {
  const asked = args.map(arg => {
    const parts = arg.split('/');
    if (parts.length === 1) throw new CliError(mixedForms);
    if (parts.length > 2) throw new CliError('arguments in resource/name form may not have more than one slash');
    const [type, name] = parts;
    if (!type || !name) throw new CliError('arguments in resource/name form must have a single resource and name');
    return { resource: resourceNamed(resources, type), name };
  });
  if (selected) throw new CliError('selectors and the all flag cannot be used when passing resource/name arguments');
  return asked;
};

const allOf = (resources: readonly Resource[]): readonly Resource[] => {
  const found = resources.filter(resource => resource.categories.includes('all'));
  if (found.length === 0) throw new CliError(`the server doesn't have a resource type "all"`);
  return found;
};
