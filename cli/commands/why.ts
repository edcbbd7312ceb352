/**
 * `berth why`: why a pod is where it is, or nowhere. Tells the last attempt as the scheduler left it, then decides once
 * more on the cluster as it is, with the scheduler's own engine, and names the smallest changes that would help.
 */
import { type Event, eventKind, type Pod, podKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import type { Client } from '#client/client.ts';
import { clientOf } from '../api-client.ts';
import { type Cluster, withCluster } from '../cluster.ts';
import { type ClusterFlags, clusterOptions, type Define, examples } from '../command.ts';
import { CliError } from '../failure.ts';
import { readCluster } from '../live-state.ts';
import { byLastSeen } from '../output/event-time.ts';
import { parseFormat } from '../output/format.ts';
import { paintFor } from '../output/paint.ts';
import { probeNamespace } from '../read.ts';
import { askWhy, goneReport } from '../why/ask.ts';
import { readDecisions } from '../why/decisions.ts';
import { whyDocument } from '../why/document.ts';
import { readProfiles } from '../why/profiles.ts';
import type { WhyReport } from '../why/report.ts';
import { whyText } from '../why/text.ts';
import { fewNodes } from '../why/verdicts-text.ts';

interface WhyFlags extends ClusterFlags {
  node?: string;
  scores?: boolean;
  history?: boolean;
  schedulerConfig?: string;
  output?: string;
}

export const define: Define = (command, io) => {
  clusterOptions(command)
    .argument('<pod>', 'POD, pod/POD or pod POD')
    .argument('[name]')
    .option('--node <name>', 'only this node, with all its numbers')
    .option('--scores', 'raw and normalized scores too')
    .option('--history', "the scheduler's decisions about the pod")
    .option('--scheduler-config <file>', 'decide by the profiles and plugins of this KubeSchedulerConfiguration')
    .option('-o, --output <form>', 'json, yaml, jsonpath=…')
    .action((pod: string, name: string | undefined, flags: WhyFlags) =>
      withCluster(io, flags, cluster => why(cluster, podName(pod, name), flags)),
    );
  examples(
    command,
    `berth why web
    berth why pod/web -n shop --node node-1
    berth why web --scores --history
    berth why web -o json`,
  );
};

const podTypes = new Set(['pod', 'pods', 'po']);

const podName = (first: string, second: string | undefined): string => {
  const text = second === undefined ? first : `${first}/${second}`;
  const [type = '', name, ...more] = text.split('/');
  if (name !== undefined && type !== '' && !podTypes.has(type))
    throw new CliError(`berth why tells about pods, not about ${type}`);
  const pod = name ?? type;
  if (pod === '' || more.length > 0)
    throw new CliError(`expected POD, pod/POD or pod POD, not ${JSON.stringify(second === undefined ? first : text)}`);
  return pod;
};

const why = async (cluster: Cluster, name: string, flags: WhyFlags): Promise<void> => {
  const { io, api, namespace } = cluster;
  const format = parseFormat(flags.output, () => `pod/${name}`);
  const client = clientOf(api);
  const nowMs = io.clock.now();
  const print = (report: WhyReport): void => {
    if (format.is === 'objects')
      io.out(format.print({ objects: [whyDocument(report)], single: true }, { noHeaders: false }));
    else io.out(whyText(report, { nowMs, paint: paintFor(io.colour), allScores: flags.scores === true }));
  };
  const pod = await podOf(cluster, client, name);
  if ('failure' in pod) {
    // What the scheduler remembers of a pod that is gone is told before the failure.
    const history = flags.history ? ((await readDecisions(api, { namespace, name })) ?? []) : [];
    if (history.length > 0) print(goneReport({ namespace, name }, history));
    throw pod.failure;
  }
  const { uid } = pod.metadata;
  const [state, profiles, events, decisions] = await Promise.all([
    readCluster(client),
    readProfiles(io, api, flags.schedulerConfig),
    eventsOf(client, namespace, name),
    readDecisions(api, { namespace, name, ...(uid === undefined ? {} : { uid }) }),
  ]);
  print(
    askWhy({
      pod,
      state,
      profiles,
      events,
      decisions,
      nowMs,
      limit: fewNodes,
      ...(flags.node === undefined ? {} : { node: flags.node }),
      history: flags.history === true,
    }),
  );
};

const podOf = async (cluster: Cluster, client: Client, name: string): Promise<Pod | { failure: unknown }> => {
  const { namespace } = cluster;
  try {
    return await client.get(podKind, { namespace, name });
  } catch (failure) {
    if (!isReason(failure, 'NotFound')) throw failure;
    await probeNamespace(cluster, namespace);
    return { failure };
  }
};

const eventsOf = async (client: Client, namespace: string, name: string): Promise<readonly Event[]> => {
  const fieldSelector = `involvedObject.kind=Pod,involvedObject.name=${name}`;
  const { items } = await client.list(eventKind, { namespace, fieldSelector });
  return [...items].sort(byLastSeen);
};
