/** `berth wait`: waits for a condition, a field, the creation or the end of objects. Exit code 1 when time is up. */
import { isReason } from '#api/status.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, repeated } from '../command.ts';
import { objectPrefix, type Resource } from '../discovery.ts';
import { durationMs } from '../durations.ts';
import { CliError, throwAll } from '../failure.ts';
import { targetsOfFiles } from '../file-targets.ts';
import { findValues, valueText } from '../output/jsonpath.ts';
import { parseRelaxedPath, parseTemplate } from '../output/jsonpath-parse.ts';
import { type AnyObject, getOne, listAll, namespaceFor } from '../read.ts';
import { parseTargets } from '../targets.ts';
import { deadlineOf, type Test, timedOut, waitFor, waitGone } from '../waiting.ts';

interface WaitFlags extends ClusterFlags {
  for?: string;
  timeout: string;
  selector?: string;
  fieldSelector?: string;
  all?: boolean;
  allNamespaces?: boolean;
  filename?: readonly string[];
  recursive?: boolean;
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .argument('[type]', 'resource type, or TYPE/NAME')
    .argument('[names...]', 'names of objects')
    .requiredOption('--for <what>', "condition=NAME[=value], jsonpath='{PATH}'[=value], create or delete")
    .option('--timeout <duration>', 'give up after this time; 0s: look once, negative: a week', '30s')
    .option('-l, --selector <labels>', 'objects with these labels')
    .option('--field-selector <fields>', 'objects with these fields')
    .option('--all', 'all objects of the type')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-f, --filename <file>', 'the objects of a manifest; may be repeated', repeated)
    .option('-R, --recursive', 'also the directories below')
    .action((type: string | undefined, names: readonly string[], flags: WaitFlags) =>
      withCluster(io, flags, cluster => wait(cluster, type === undefined ? [] : [type, ...names], flags)),
    );
  examples(
    command,
    `berth wait --for=condition=Ready pod/web --timeout=60s
    berth wait --for=delete pod/web
    berth wait --for=jsonpath='{.status.phase}'=Succeeded pod -l job=sum`,
  );
};

interface Awaited {
  readonly resource: Resource;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly object: AnyObject | undefined;
}

const wait = async (cluster: Cluster, args: readonly string[], flags: WaitFlags): Promise<void> => {
  const goal = goalOf(flags.for ?? '');
  const deadlineMs = deadlineOf(cluster, durationMs(flags.timeout, '--timeout'));
  const failures: unknown[] = [];
  const awaited = await find(cluster, args, flags, goal, deadlineMs, failures);
  if (awaited.length === 0 && failures.length === 0 && goal.is !== 'delete')
    throw new CliError('no matching resources found');
  for (const item of awaited) {
    try {
      if (goal.is === 'delete') {
        // What was never there is not reported, as in kubectl.
        if (!item.object) continue;
        await waitGone(cluster, item.resource, { ...item, uid: item.object.metadata.uid }, deadlineMs);
      } else if (goal.is === 'test') await waitFor(cluster, item.resource, item, goal.test, deadlineMs);
      cluster.io.out(`${objectPrefix(item.resource)}/${item.name} condition met\n`);
    } catch (error) {
      failures.push(error);
    }
  }
  throwAll(failures);
};

type Goal = { readonly is: 'delete' | 'create' } | { readonly is: 'test'; readonly test: Test };

const goalOf = (text: string): Goal => {
  const lower = text.toLowerCase();
  if (lower === 'delete' || lower === 'create') return { is: lower };
  if (text.startsWith('condition=')) {
    const [name = '', value = 'true'] = text.slice('condition='.length).split('=');
    return { is: 'test', test: object => object !== undefined && hasCondition(object, name, value) };
  }
  const path = /^jsonpath=(?:'([^']*)'|(\{[^}]*\}|[^=]*))(?:=(.*))?$/s.exec(text);
  if (path) return { is: 'test', test: pathTest(path[1] ?? path[2]!, path[3]) };
  throw new CliError(`unrecognized condition: ${JSON.stringify(text)}`);
};

/** Conditions that report on an older generation than the object's do not count. */
const hasCondition = (object: AnyObject, name: string, value: string): boolean => {
  const { status } = object as {
    status?: { conditions?: { type: string; status: string; observedGeneration?: number }[] };
  };
  const found = status?.conditions?.find(condition => condition.type.toLowerCase() === name.toLowerCase());
  if (!found) return false;
  const generation = object.metadata.generation ?? 0;
  if (found.observedGeneration !== undefined && found.observedGeneration < generation) return false;
  return found.status.toLowerCase() === value.toLowerCase();
};

const pathTest = (path: string, value: string | undefined): Test => {
  if (value === '')
    throw new CliError(
      "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
    );
  const unquoted = value?.replace(/^(['"])(.*)\1$/s, '$2');
  const template = path.startsWith('{') ? parseTemplate(path) : parseRelaxedPath(path);
  return object => {
    if (object === undefined) return false;
    const found = findValues(template, object);
    if (found.length > 1) throw new CliError('given jsonpath expression matches more than one value');
    if (found.length === 0) return false;
    if (unquoted === undefined) return true;
    if (typeof found[0] === 'object' && found[0] !== null)
      throw new CliError('jsonpath leads to a nested object or list which is not supported');
    return valueText(found[0]) === unquoted;
  };
};

const find = async (
  cluster: Cluster,
  args: readonly string[],
  flags: WaitFlags,
  goal: Goal,
  deadlineMs: number,
  failures: unknown[],
): Promise<readonly Awaited[]> => {
  if (args.length === 0 && !flags.filename)
    throw new CliError('arguments in resource/name form must have a single resource and name');
  const { targets, named } = flags.filename
    ? await targetsOfFiles(cluster, flags.filename, flags.recursive === true)
    : parseTargets(args, await cluster.resources());
  if (
    !named &&
    !flags.all &&
    flags.selector === undefined &&
    flags.fieldSelector === undefined &&
    goal.is !== 'create'
  ) {
    throw new CliError('resource(s) were provided, but no name was specified');
  }
  const found: Awaited[] = [];
  for (const { resource, name, namespace: own } of targets) {
    const namespace = own ?? namespaceFor(cluster, resource, flags.allNamespaces);
    const selection = { namespace, labelSelector: flags.selector, fieldSelector: flags.fieldSelector };
    if (name === undefined) {
      const { items } = await listAll(cluster, resource, selection);
      for (const object of items)
        found.push({ resource, name: object.metadata.name, namespace: object.metadata.namespace, object });
      continue;
    }
    try {
      found.push({
        resource,
        name,
        namespace,
        object: await present(cluster, resource, { namespace, name }, goal, deadlineMs),
      });
    } catch (error) {
      failures.push(error);
    }
  }
  return found;
};

const present = async (
  cluster: Cluster,
  resource: Resource,
  ref: { namespace: string | undefined; name: string },
  goal: Goal,
  deadlineMs: number,
): Promise<AnyObject | undefined> => {
  if (goal.is === 'create') {
    const object = await waitFor(cluster, resource, ref, object => object !== undefined, deadlineMs);
    if (!object) throw timedOut(resource, ref.name);
    return object;
  }
  try {
    return await getOne(cluster, resource, ref);
  } catch (error) {
    if (goal.is === 'delete' && isReason(error, 'NotFound')) return undefined;
    throw error;
  }
};
