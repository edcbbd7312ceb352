/** `berth wait`: waits for a condition, a field, the creation or the end of objects. Exit code 1 when time is up. */
import { isReason } from '#api/status.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, repeated } from '../command.ts';
import { objectPrefix } from '../discovery.ts';
import { durationOption } from '../durations.ts';
import { CliError, throwAll } from '../failure.ts';
import { findValues, valueText } from '../output/jsonpath.ts';
import { parseRelaxedPath } from '../output/jsonpath-parse.ts';
import { type OutputFlags, objectPrinter, outputOptions } from '../output/printer.ts';
import { type AnyObject, getOne, listAll, selectionOf } from '../read.ts';
import { type Choice, chooseTargets, type NamedTarget } from '../targets.ts';
import { deadlineOf, type Test, TimedOut, waitFor, waitGone } from '../waiting.ts';

interface WaitFlags extends ClusterFlags, Choice, OutputFlags {
  for?: string;
  timeout: number;
}

export const define: Define = (command, io) => {
  outputOptions(clusterOptions(command))
    .argument('[type]', 'resource type, or TYPE/NAME')
    .argument('[names...]', 'names of objects')
    .option('--for <what>', "condition=NAME[=value], jsonpath='{PATH}'[=value], create or delete")
    .addOption(
      durationOption('--timeout <duration>', 'give up after this time; 0s: look once, negative: a week', '30s'),
    )
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
  readonly target: NamedTarget;
  readonly object: AnyObject | undefined;
}

const wait = async (cluster: Cluster, args: readonly string[], flags: WaitFlags): Promise<void> => {
  const goal = goalOf(flags.for ?? '');
  const print = objectPrinter(cluster.io, flags);
  const deadlineMs = deadlineOf(cluster, flags.timeout);
  const { awaited, failures } = await find(cluster, args, flags, goal, deadlineMs);
  if (awaited.length === 0 && failures.length === 0 && goal.is !== 'delete')
    throw new CliError('no matching resources found');
  for (const { target, object } of awaited) {
    const { resource, name } = target;
    try {
      const last = await reach(cluster, { target, object }, goal, deadlineMs);
      const line = `${objectPrefix(resource)}/${name}`;
      if (last) print(last, `${line} condition met`, line);
    } catch (error) {
      const lookedOnce = error instanceof TimedOut && flags.timeout === 0;
      failures.push(lookedOnce ? new CliError(`condition not met for ${resource.plural}/${name}`) : error);
    }
  }
  throwAll(failures);
};

/** Waits; the object as it was last, undefined when there was nothing to wait for. */
const reach = async (
  cluster: Cluster,
  { target, object }: Awaited,
  goal: Goal,
  deadlineMs: number,
): Promise<AnyObject | undefined> => {
  if (goal.is === 'test') return waitFor(cluster, target.resource, target, goal.test, deadlineMs);
  // What was never there is not reported, as in kubectl.
  if (goal.is === 'delete' && object)
    await waitGone(cluster, target.resource, { ...target, uid: object.metadata.uid }, deadlineMs);
  return object;
};

type Goal = { readonly is: 'delete' | 'create' } | { readonly is: 'test'; readonly test: Test };

const goalOf = (text: string): Goal => {
  const lower = text.toLowerCase();
  if (lower === 'delete' || lower === 'create') return { is: lower };
  if (text.startsWith('condition=')) {
    const [name = '', value = 'true'] = text.slice('condition='.length).split('=');
    return { is: 'test', test: object => object !== undefined && hasCondition(object, name, value) };
  }
  if (text.startsWith('jsonpath=')) return { is: 'test', test: fieldTest(text.slice('jsonpath='.length)) };
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

/** `PATH` or `PATH=VALUE`; `==` belongs to the path. */
const fieldTest = (text: string): Test => {
  if (text === '') throw new CliError('jsonpath expression cannot be empty');
  const [path = '', value, ...more] = text.split(/(?<!=)=(?!=)/);
  if (more.length > 0)
    throw new CliError(
      "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'",
    );
  const wanted = value?.replace(/^['"]+|['"]+$/g, '');
  if (wanted === '')
    throw new CliError(
      "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
    );
  const template = parseRelaxedPath(path);
  return object => {
    if (object === undefined) return false;
    const found = findValues(template, object);
    if (found.length > 1) throw new CliError('given jsonpath expression matches more than one value');
    if (found.length === 0) return false;
    if (wanted === undefined) return true;
    if (typeof found[0] === 'object' && found[0] !== null)
      throw new CliError('jsonpath leads to a nested object or list which is not supported');
    return valueText(found[0]) === wanted;
  };
};

const find = async (
  cluster: Cluster,
  args: readonly string[],
  flags: WaitFlags,
  goal: Goal,
  deadlineMs: number,
): Promise<{ awaited: readonly Awaited[]; failures: unknown[] }> => {
  const { targets, failures: unread } = await chooseTargets(cluster, args, flags, {
    explicit: true,
    allBesideNames: true,
  });
  const failures: unknown[] = [...unread];
  const awaited: Awaited[] = [];
  for (const target of targets) {
    const { resource, name, namespace } = target;
    if (name === undefined) {
      for (const object of (await listAll(cluster, resource, { ...selectionOf(flags), namespace })).items) {
        const { name, namespace } = object.metadata;
        awaited.push({ target: { resource, name, namespace }, object });
      }
      continue;
    }
    const named = { ...target, name };
    if (goal.is === 'create') {
      awaited.push({ target: named, object: await created(cluster, named, deadlineMs) });
      continue;
    }
    try {
      awaited.push({ target: named, object: await present(cluster, named, goal) });
    } catch (error) {
      failures.push(error);
    }
  }
  return { awaited, failures };
};

const created = async (cluster: Cluster, target: NamedTarget, deadlineMs: number): Promise<AnyObject | undefined> => {
  try {
    return await waitFor(cluster, target.resource, target, object => object !== undefined, deadlineMs);
  } catch (error) {
    throw error instanceof TimedOut ? new CliError('timed out waiting for the condition') : error;
  }
};

const present = async (cluster: Cluster, target: NamedTarget, goal: Goal): Promise<AnyObject | undefined> => {
  try {
    return await getOne(cluster, target.resource, target);
  } catch (error) {
    if (goal.is === 'delete' && isReason(error, 'NotFound')) return undefined;
    throw error;
  }
};
