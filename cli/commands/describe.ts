/** `berth describe`: an object in detail with its events. Kinds without a layout of their own are shown field by field. */
import type { ReplicaSet, StatefulSet } from '#api/kinds/apps.ts';
import type { Event, Node, Pod } from '#api/kinds/core.ts';
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import type { Service } from '#api/kinds/service.ts';
import { isReason } from '#api/status.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, repeated } from '../command.ts';
import type { Events } from '../describe/events.ts';
import { describeAny } from '../describe/generic.ts';
import { describeNode, type NodeFacts } from '../describe/node.ts';
import { describePod } from '../describe/pod.ts';
import * as simple from '../describe/simple.ts';
import * as workload from '../describe/workload.ts';
import { type Resource, resourceNamed } from '../discovery.ts';
import { wholeNumber } from '../durations.ts';
import { CliError, throwAll } from '../failure.ts';
import { type AnyObject, getOne, listAll, objectsOf, selectionOf } from '../read.ts';
import { type Choice, chooseTargets, type Target } from '../targets.ts';

interface DescribeFlags extends ClusterFlags, Choice {
  showEvents: boolean;
  chunkSize?: number;
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .argument('[type]', 'resource type, or TYPE/NAME')
    .argument('[names...]', 'names, or the beginning of names')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-l, --selector <labels>', 'only objects with these labels')
    .option('-f, --filename <file>', 'the objects of a manifest; may be repeated', repeated)
    .option('-R, --recursive', 'also the directories below')
    .option('--show-events', 'with the events of the object', true)
    .option('--chunk-size <n>', 'read lists in pages of so many objects (0: at once; default: 500)', wholeNumber)
    .action((type: string | undefined, names: readonly string[], flags: DescribeFlags) =>
      withCluster(io, flags, cluster => describe(cluster, type === undefined ? [] : [type, ...names], flags)),
    );
  examples(
    command,
    `berth describe pod web
    berth describe node
    berth describe pods -l app=web`,
  );
};

const describe = async (cluster: Cluster, args: readonly string[], flags: DescribeFlags): Promise<void> => {
  if (args.length === 0 && !flags.filename) {
    throw new CliError(
      'You must specify the type of resource to describe. Use "berth api-resources" for a complete list of supported resources.',
    );
  }
  const { targets, failures: unread } = await chooseTargets(cluster, args, flags, { explicit: false });
  const failures: unknown[] = [...unread];
  const texts: string[] = [];
  let separator = '\n\n';
  for (const target of targets) {
    try {
      for (const object of await objectsOf(cluster, target, selectionOf(flags)))
        texts.push(await describeOne(cluster, target.resource, object, flags));
    } catch (error) {
      const begun = isReason(error, 'NotFound') && args.length === 2 ? await beginningWith(cluster, target) : [];
      if (begun.length === 0) failures.push(error);
      for (const object of begun) texts.push(`${await describeOne(cluster, target.resource, object, flags)}\n`);
      if (begun.length > 0) separator = '';
    }
  }
  cluster.io.out(texts.join(separator));
  if (texts.length === 0 && failures.length === 0)
    cluster.io.err(
      flags.allNamespaces ? 'No resources found\n' : `No resources found in ${cluster.namespace} namespace.\n`,
    );
  throwAll(failures);
};

/** Objects whose names begin with the one asked for. */
const beginningWith = async (
  cluster: Cluster,
  { resource, name, namespace }: Target,
): Promise<readonly AnyObject[]> => {
  if (name === undefined) return [];
  const { items } = await listAll(cluster, resource, { namespace });
  return items.filter(item => item.metadata.name.startsWith(name));
};

const describeOne = async (
  cluster: Cluster,
  resource: Resource,
  object: AnyObject,
  flags: DescribeFlags,
): Promise<string> => {
  const events = flags.showEvents && resource.plural !== 'secrets' ? await eventsOf(cluster, object) : undefined;
  const nowMs = cluster.io.clock.now();
  switch (resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`) {
    case 'pods':
      return describePod(object as unknown as Pod, events, nowMs);
    case 'nodes':
      return describeNode(await nodeFacts(cluster, object as unknown as Node, events), nowMs);
    case 'namespaces': {
      const has = async (plural: string) =>
        (await cluster.resources()).some(r => r.group === '' && r.plural === plural);
      return simple.describeNamespace(object, {
        quotas: await has('resourcequotas'),
        ranges: await has('limitranges'),
      });
    }
    case 'configmaps':
      return simple.describeConfigMap(object, events, nowMs);
    case 'secrets':
      return simple.describeSecret(object);
    case 'serviceaccounts':
      return simple.describeServiceAccount(object, events, nowMs);
    case 'priorityclasses.scheduling.k8s.io':
      return simple.describePriorityClass(object, events, nowMs);
    case 'services':
      return workload.describeService(object as unknown as Service, events, nowMs);
    case 'replicasets.apps': {
      const set = object as unknown as ReplicaSet;
      return workload.describeReplicaSet(set, await controlledPods(cluster, object), events, nowMs);
    }
    case 'statefulsets.apps': {
      const set = object as unknown as StatefulSet;
      return workload.describeStatefulSet(set, await controlledPods(cluster, object), events, nowMs);
    }
    case 'poddisruptionbudgets.policy':
      return workload.describeBudget(object as unknown as PodDisruptionBudget, events, nowMs);
    default:
      return describeAny(object, events, nowMs);
  }
};

const controlledPods = async (cluster: Cluster, { metadata }: AnyObject): Promise<readonly Pod[]> => {
  const pods = resourceNamed(await cluster.resources(), 'pods');
  const { items } = await listAll<Pod>(cluster, pods, { namespace: metadata.namespace });
  return items.filter(pod =>
    pod.metadata.ownerReferences?.some(owner => owner.controller && owner.uid === metadata.uid),
  );
};

const eventsOf = async (cluster: Cluster, object: AnyObject): Promise<readonly Event[]> => {
  const { name, namespace, uid = '' } = object.metadata;
  const events = resourceNamed(await cluster.resources(), 'events');
  // Events of cluster-scoped objects are kept in the namespace default, and some name the object as its uid.
  const uids = namespace === undefined ? [uid, name] : [uid];
  const lists = await Promise.all(
    uids.map(id =>
      listAll<Event>(cluster, events, {
        namespace,
        fieldSelector: `involvedObject.name=${name},involvedObject.namespace=${namespace ?? ''},involvedObject.kind=${object.kind},involvedObject.uid=${id}`,
      }),
    ),
  );
  return lists.flatMap(list => list.items);
};

const nodeFacts = async (cluster: Cluster, node: Node, events: Events): Promise<NodeFacts> => {
  const resources = await cluster.resources();
  const { name } = node.metadata;
  const running = `spec.nodeName=${name},status.phase!=Succeeded,status.phase!=Failed`;
  const [pods, lease, usage] = await Promise.all([
    listAll<Pod>(cluster, resourceNamed(resources, 'pods'), { namespace: undefined, fieldSelector: running }),
    leaseOf(cluster, resourceNamed(resources, 'leases.coordination.k8s.io'), name),
    usageOf(cluster, resources, name),
  ]);
  return { node, pods: pods.items, events, lease, usage };
};

const leaseOf = async (cluster: Cluster, leases: Resource, name: string): Promise<NodeFacts['lease']> => {
  try {
    return await cluster.api.send<NodeFacts['lease']>({
      path: `/apis/${leases.group}/${leases.version}/namespaces/kube-node-lease/leases/${encodeURIComponent(name)}`,
    });
  } catch (error) {
    return { failure: (error as Error).message };
  }
};

/** Undefined while the node has no metrics: the column is then left out. */
const usageOf = async (cluster: Cluster, resources: readonly Resource[], name: string): Promise<NodeFacts['usage']> => {
  const metrics = resources.find(resource => resource.group === 'metrics.k8s.io' && resource.plural === 'nodes');
  if (!metrics) return undefined;
  try {
    const measured = await getOne<{ usage?: Record<string, string> }>(cluster, metrics, { namespace: undefined, name });
    return measured.usage;
  } catch (error) {
    if (isReason(error, 'NotFound') || isReason(error, 'ServiceUnavailable')) return undefined;
    throw error;
  }
};
