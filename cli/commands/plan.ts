/**
 * `berth plan`: what would happen if manifests were applied, a node drained, a node lost. Reads the cluster by list
 * requests, or only files (--nodes), and writes nothing. Exit code 0: all is well; 1: something would change for the
 * worse; 2: no plan could be made.
 */
import { CommanderError } from 'commander';
import { reject } from '#agent/admission.ts';
import type { Kind } from '#api/kind.ts';
import { type Node, namespaceKind, nodeKind } from '#api/kinds/core.ts';
import type { KubeObject } from '#api/object.ts';
import type { Plan, Worse } from '#engine/plan.ts';
import type { Profile } from '#engine/profile.ts';
import { applyTo, nothingApplied } from '#scheduler/planning/apply.ts';
import { makePlan } from '#scheduler/planning/plan.ts';
import { createRehearsal, type Rehearsal, readObjects } from '#scheduler/planning/rehearsal.ts';
import { clientOf } from '../api-client.ts';
import { withPlaces } from '../apply/places.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, repeated } from '../command.ts';
import { CliError, Exit, failureText, throwAll } from '../failure.ts';
import type { Io } from '../io.ts';
import { parseFormat } from '../output/format.ts';
import { readNodes, readWanted, type WantedManifest } from '../plan/inputs.ts';
import { planText } from '../plan/text.ts';
import { readOwnProfiles, readProfiles } from '../why/profiles.ts';

interface PlanFlags extends ClusterFlags {
  filename?: readonly string[];
  recursive?: boolean;
  nodes?: readonly string[];
  addNodes?: readonly string[];
  drain?: string;
  surviveNodeLoss?: string;
  failOn?: string;
  schedulerConfig?: string;
  output?: string;
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .argument('[node]')
    .option('-f, --filename <file>', 'file, directory, or - for stdin; may be repeated', repeated)
    .option('-R, --recursive', 'also the directories below')
    .option('--nodes <file>', 'plan for the nodes of this file, without a cluster; may be repeated', repeated)
    .option('--add-nodes <file>', 'plan as if the cluster had the nodes of this file too; may be repeated', repeated)
    .option('--drain <node>', 'then evict the pods of this node, as far as disruption budgets allow', once('--drain'))
    .option(
      '--survive-node-loss [node]',
      'then think each node away (or this one) and place its pods elsewhere',
      once('--survive-node-loss'),
    )
    .option('--fail-on <list>', 'what makes the exit code 1: pending, evict, blocked or none', 'pending,evict,blocked')
    .option('--scheduler-config <file>', 'place by the profiles of this KubeSchedulerConfiguration')
    .option('-o, --output <form>', 'wide (more columns, all rows), json, yaml, jsonpath=…')
    .action((word: string | undefined, flags: PlanFlags) => plan(io, word, flags));
  command.exitOverride(error => {
    throw error.exitCode === 0 ? error : new Exit(2);
  });
  examples(
    command,
    `berth plan -f web.yaml
    berth plan -f manifests/ -R --survive-node-loss
    berth plan --drain node-a
    berth plan --survive-node-loss node-a
    berth plan --nodes nodes.yaml -f pods.yaml -o json
    berth plan -f web.yaml --fail-on pending`,
  );
};

/** Of two nodes the first would be forgotten. */
const once =
  (option: string) =>
  (value: string, before: string | undefined): string => {
    if (before === undefined) return value;
    throw new CliError(`${option} is given twice: a plan is about one node, or with --survive-node-loss alone all`, {
      exitCode: 2,
    });
  };

const plan = async (io: Io, word: string | undefined, given: PlanFlags): Promise<void> => {
  let text: string;
  let verdict: Plan['verdict'];
  let failOn: ReadonlySet<Worse>;
  try {
    const flags = withNode(given, word);
    checkFlags(flags);
    failOn = failOnOf(flags.failOn ?? '');
    const format = parseFormat(flags.output, () => 'plan');
    const made = await planned(io, flags);
    ({ verdict } = made);
    text =
      format.is === 'objects'
        ? format.print({ objects: [made], single: true }, { noHeaders: false })
        : planText(made, format);
  } catch (error) {
    if (error instanceof Exit || error instanceof CommanderError) throw error;
    io.err(failureText(error));
    throw new Exit(2);
  }
  io.out(text);
  if ([...failOn].some(worse => verdict[worse] > 0)) throw new Exit(1);
};

/** `--survive-node-loss NODE` is as good as `--survive-node-loss=NODE`; any other word is too much. */
const withNode = (flags: PlanFlags, word: string | undefined): PlanFlags => {
  if (word === undefined) return flags;
  if (flags.surviveNodeLoss === '') return { ...flags, surviveNodeLoss: word };
  throw new CliError(`${JSON.stringify(word)} is too much here: manifests are given with -f, a node with --drain NODE`);
};

const checkFlags = ({ filename, drain, surviveNodeLoss, nodes, addNodes }: PlanFlags): void => {
  if (nodes !== undefined && addNodes !== undefined)
    throw new CliError('--nodes plans without a cluster, --add-nodes with one: give one of them');
  if (filename === undefined && drain === undefined && surviveNodeLoss === undefined)
    throw new CliError('nothing to plan: give manifests (-f), a node to drain (--drain) or --survive-node-loss');
};

const failOnOf = (text: string): ReadonlySet<Worse> => {
  const words = text.split(',').map(word => word.trim());
  const wrong = words.find(word => !['pending', 'evict', 'blocked', 'none'].includes(word));
  if (wrong !== undefined)
    throw new CliError(`--fail-on ${text}: ${JSON.stringify(wrong)} is not one of pending, evict, blocked, none`);
  return new Set(words.filter(word => word !== 'none') as Worse[]);
};

interface Surroundings {
  readonly rehearsal: Rehearsal;
  readonly wanted: readonly WantedManifest[];
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly notes: readonly string[];
}

const planned = (io: Io, flags: PlanFlags): Promise<Plan> =>
  flags.nodes === undefined
    ? withCluster(io, flags, async cluster => planIn(io, flags, await surroundingsOf(cluster, flags)))
    : withoutCluster(io, flags).then(surroundings => planIn(io, flags, surroundings));

/** A copy of what a plan needs of the cluster, made by reading only. */
const surroundingsOf = async ({ api, io, namespace }: Cluster, flags: PlanFlags): Promise<Surroundings> => {
  const wanted = await wantedOf(io, flags, namespace);
  const rehearsal = await createRehearsal(io.clock);
  const [objects, served] = await Promise.all([
    readObjects(clientOf(api), wanted),
    readProfiles(io, api, flags.schedulerConfig),
  ]);
  await rehearsal.put(objects);
  return { rehearsal, wanted, profiles: served.bySchedulerName, notes: served.notes };
};

const withoutCluster = async (io: Io, flags: PlanFlags): Promise<Surroundings> => {
  const wanted = await wantedOf(io, flags, flags.namespace ?? 'default');
  const rehearsal = await createRehearsal(io.clock);
  await rehearsal.put(namespacesFor(wanted, rehearsal));
  const { bySchedulerName, notes } = await readOwnProfiles(io, flags.schedulerConfig ?? '');
  return { rehearsal, wanted, profiles: bySchedulerName, notes };
};

const wantedOf = async (io: Io, flags: PlanFlags, namespace: string): Promise<readonly WantedManifest[]> =>
  flags.filename === undefined
    ? []
    : readWanted(io, flags.filename, flags.recursive === true, { namespace, only: flags.namespace });

const planIn = async (
  io: Io,
  flags: PlanFlags,
  { rehearsal, wanted, profiles, notes }: Surroundings,
): Promise<Plan> => {
  const files = [...(flags.nodes ?? []), ...(flags.addNodes ?? [])];
  await addNodes(rehearsal, files.length === 0 ? [] : await readNodes(io, files));
  const before = await rehearsal.state();
  const applied = nothingApplied();
  for (const note of notes) applied.notes.add(note);
  await applyAll(io, rehearsal, applied, wanted);
  const after = await rehearsal.state();
  const names = after.nodes.map(node => node.metadata.name);
  const lose = flags.surviveNodeLoss === undefined ? undefined : lostNodes(flags.surviveNodeLoss, names);
  if (flags.drain !== undefined) checkNode(flags.drain, names);
  return makePlan(before, after, applied, {
    profiles,
    nowMs: io.clock.now(),
    drain: flags.drain,
    lose,
    refuses: (pod, node, others) => {
      const rejection = reject(pod, node, others);
      return rejection && `${rejection.reason}: ${rejection.message}`;
    },
  });
};

/** Without a cluster nobody has made the namespaces yet: those that no manifest makes are taken to be there. */
const namespacesFor = (wanted: readonly WantedManifest[], rehearsal: Rehearsal) => {
  const made = wanted.flatMap(({ kind, object }) => (kind.plural === 'namespaces' ? [object.metadata.name] : []));
  const named = new Set(wanted.flatMap(({ object }) => object.metadata.namespace ?? []));
  const kind = namespaceKind as unknown as Kind;
  return [...named]
    .filter(name => !made.includes(name) && rehearsal.get(kind, { name }) === undefined)
    .map(name => ({ kind, object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } }));
};

const addNodes = async (rehearsal: Rehearsal, nodes: readonly Node[]): Promise<void> => {
  for (const { metadata } of nodes)
    if (rehearsal.get(nodeKind, { name: metadata.name }) !== undefined)
      throw new CliError(`--add-nodes: the cluster has a node ${JSON.stringify(metadata.name)} already`);
  await rehearsal.put(nodes.map(object => ({ kind: nodeKind as unknown as Kind, object: object as KubeObject })));
};

const applyAll = async (
  io: Io,
  rehearsal: Rehearsal,
  applied: ReturnType<typeof nothingApplied>,
  wanted: readonly WantedManifest[],
): Promise<void> => {
  const failures: unknown[] = [];
  for (const one of wanted)
    try {
      const onWarning = (text: string): void => io.err(`Warning: ${text}\n`);
      await applyTo(rehearsal, applied, one, {
        fieldManager: 'kubectl-client-side-apply',
        fieldValidation: 'Strict',
        onWarning,
      });
    } catch (error) {
      failures.push(withPlaces(error, one.manifest));
    }
  throwAll(failures);
};

const lostNodes = (text: string, names: readonly string[]): readonly string[] => {
  if (text === '') return names;
  checkNode(text, names);
  return [text];
};

const checkNode = (name: string, names: readonly string[]): void => {
  if (!names.includes(name)) throw new CliError(`nodes ${JSON.stringify(name)} not found`);
};
