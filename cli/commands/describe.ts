/** `berth describe`: an object in detail with its events. Kinds without a layout of their own are shown field by field. */
import type { Event, Node, Pod } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import type { ClusterFlags, Define } from '../command.ts';
import { clusterOptions, examples, repeated } from '../command.ts';
import { describeAny } from '../describe/generic.ts';
import { describeNode, type NodeFacts } from '../describe/node.ts';
import { describePod } from '../describe/pod.ts';
import * as simple from '../describe/simple.ts';
import { type Resource, resourceNamed } from '../discovery.ts';
import { CliError, throwAll } from '../failure.ts';
import { targetsOfFiles } from '../file-targets.ts';
import { type AnyObject, getOne, listAll, namespaceFor } from '../read.ts';
import { parseTargets, type Target } from '../targets.ts';

interface DescribeFlags extends ClusterFlags {
  allNamespaces?: boolean;
  selector?: string;
  filename?: readonly string[];
  recursive?: boolean;
  showEvents: boolean;
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .argument('[type]', 'resource type, or TYPE/NAME')
    .argument('[names...]', 'names, or beginnings of names')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-l, --selector <labels>', 'only objects with these labels')
    .option('-f, --filename <file>', 'the objects of a manifest; may be repeated', repeated)
    .option('-R, --recursive', 'also the directories below')
    .option('--show-events', 'with the events of the object', true)
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
  const { targets } = flags.filename
    ? await targetsOfFiles(cluster, flags.filename, flags.recursive === true)
    : parseTargets(args, await cluster.resources());
  const failures: unknown[] = [];
  let printed = 0;
  for (const target of targets) {
    try {
      for (const object of await objectsOf(cluster, target, flags)) {
        const text = await describeOne(cluster, target.resource, object, flags);
        cluster.io.out(printed++ === 0 ? text : `\n\n${text}`);
      }
    } catch (error) {
      failures.push(error);
    }
  }
  if (printed === 0 && failures.length === 0) {
    const scoped = !flags.allNamespaces && targets.every(target => target.resource.namespaced);
    cluster.io.err(scoped ? `No resources found in ${cluster.namespace} namespace.\n` : 'No resources found\n');
  }
  throwAll(failures);
};

const objectsOf = async (cluster: Cluster, target: Target, flags: DescribeFlags): Promise<readonly AnyObject[]> => {
  const { resource, name } = target;
  const namespace = target.namespace ?? namespaceFor(cluster, resource, flags.allNamespaces);
  if (name === undefined) return (await listAll(cluster, resource, { namespace, labelSelector: flags.selector })).items;
  try {
    return [await getOne(cluster, resource, { namespace, name })];
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
    const { items } = await listAll(cluster, resource, { namespace });
    const begun = items.filter(item => item.metadata.name.startsWith(name));
    if (begun.length === 0) throw error;
    return begun;
  }
};

const describeOne = async (
  cluster: Cluster,
  resource: Resource,
  object: AnyObject,
  flags: DescribeFlags,
): Promise<string> => {
  const events = flags.showEvents && resource.plural !== 'secrets' ? await eventsOf(cluster, object) : [];
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
    default:
      return describeAny(object, events, nowMs);
  }
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

const nodeFacts = async (cluster: Cluster, node: Node, events: readonly Event[]): Promise<NodeFacts> => {
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
