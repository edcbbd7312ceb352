/**
 * What the arguments of get, describe, delete, wait … name: `pods`, `pod a b`, `pod/a node/b`, `pods,nodes`, `all`.
 * The rules and texts are those of kubectl's resource builder.
 */
import { type Resource, resourceNamed } from './discovery.ts';
import { CliError } from './failure.ts';

/** One resource with the names asked for; without names: all of them. */
export interface Target {
  readonly resource: Resource;
  readonly name: string | undefined;
  /** Where it is, when the target itself says so (a manifest does). */
  readonly namespace?: string | undefined;
}

export interface Targets {
  readonly targets: readonly Target[];
  /** True when output must tell kinds apart, as `get pods,nodes` and `get all` do. */
  readonly severalKinds: boolean;
  /** True when `TYPE/NAME` was used or exactly one name was given. */
  readonly named: boolean;
}

const mixedForms =
  "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'berth get resource/<resource_name>' instead of 'berth get resource resource/<resource_name>'";

/** Reads the arguments; throws CliError. */
export const parseTargets = (args: readonly string[], resources: readonly Resource[]): Targets => {
  if (args.some(arg => arg.includes('/'))) return slashForm(args, resources);
  const [types = '', ...names] = args;
  const kinds = types
    .split(',')
    .flatMap(word => (word === 'all' ? allOf(resources) : [resourceNamed(resources, word)]));
  if (names.length === 0) {
    const severalKinds = kinds.length > 1 || types === 'all';
    return { targets: kinds.map(resource => ({ resource, name: undefined })), severalKinds, named: false };
  }
  const targets = kinds.flatMap(resource => names.map(name => ({ resource, name })));
  return { targets, severalKinds: kinds.length > 1, named: true };
};

const slashForm = (args: readonly string[], resources: readonly Resource[]): Targets => {
  const targets = args.map(arg => {
    const parts = arg.split('/');
    if (parts.length === 1) throw new CliError(mixedForms);
    const [type, name] = parts;
    if (parts.length !== 2 || !type || !name) {
      throw new CliError('arguments in resource/name form may not have more than one slash');
    }
    return { resource: resourceNamed(resources, type), name };
  });
  const severalKinds = new Set(targets.map(target => target.resource)).size > 1;
  return { targets, severalKinds, named: true };
};

const allOf = (resources: readonly Resource[]): readonly Resource[] => {
  const found = resources.filter(resource => resource.categories.includes('all'));
  if (found.length === 0) throw new CliError(`the server doesn't have a resource type "all"`);
  return found;
};
