/** The pods that a command for pods means: one by name, or those that an object (TYPE/NAME) selects, the best first. */
import type { Pod } from '#api/kinds/core.ts';
import { compileLabelSelector, type LabelSelector } from '#api/labels.ts';
import type { Cluster } from './cluster.ts';
import { selectorText } from './describe/pod.ts';
import { type Resource, resourceNamed } from './discovery.ts';
import { CliError } from './failure.ts';
import { type AnyObject, getOne, listAll, watchLines } from './read.ts';
import { parseTargets } from './targets.ts';

export interface PodChoice {
  /** What is to be done, for messages: `get the logs from`. */
  readonly verb: string;
  /** How long to wait for the first pod of an object. */
  readonly timeoutMs: number;
}

/** Reads `POD` or `TYPE/NAME`; throws CliError when nothing stands behind it in time. */
export const podsBehind = async (
  cluster: Cluster,
  text: string,
  choice: PodChoice,
): Promise<{ readonly pods: readonly Pod[]; readonly named: boolean }> => {
  const args = text.includes('/') ? [text] : ['pods', text];
  const [target] = parseTargets(args, await cluster.resources(), false).asked;
  const { resource, name = '' } = target!;
  const namespace = resource.namespaced ? cluster.namespace : undefined;
  const object = await getOne(cluster, resource, { namespace, name });
  if (resource.plural === 'pods') return { pods: [object as unknown as Pod], named: true };
  return { pods: await selected(cluster, selectorOf(resource, object, choice.verb), choice.timeoutMs), named: false };
};

const selectorOf = (resource: Resource, object: AnyObject, verb: string): LabelSelector => {
  const { spec } = object as { spec?: { selector?: LabelSelector & Record<string, unknown> } };
  const whole = `cannot ${verb} ${resource.kind.toLowerCase()}/${object.metadata.name}`;
  if (resource.plural === 'services') {
    if (spec?.selector === undefined) throw new CliError(`${whole}: the service is defined without a selector`);
    return { matchLabels: spec.selector as Record<string, string> };
  }
  if (!spec?.selector?.matchLabels && !spec?.selector?.matchExpressions)
    throw new CliError(`${whole}: a ${resource.kind} selects no pods`);
  if (resource.plural === 'poddisruptionbudgets') throw new CliError(`${whole}: it guards pods and owns none`);
  return spec.selector;
};

/** The pods of a selector, waiting for the first when there is none yet. */
const selected = async (cluster: Cluster, selector: LabelSelector, timeoutMs: number): Promise<readonly Pod[]> => {
  const { io } = cluster;
  const resource = resourceNamed(await cluster.resources(), 'pods');
  const matches = compileLabelSelector(selector);
  const selection = { namespace: cluster.namespace, labelSelector: selectorText(selector) };
  const { items, resourceVersion } = await listAll<Pod>(cluster, resource, selection);
  if (items.length > 0) return [...items].sort(byUse);
  const late = new AbortController();
  const cancel = io.clock.after(timeoutMs, () => late.abort());
  try {
    const options = { resourceVersion, signal: AbortSignal.any([late.signal, io.signal]) };
    for await (const event of watchLines<Pod>(cluster, resource, selection, options))
      if (event.type === 'ADDED' && matches(event.object.metadata.labels)) return [event.object];
  } finally {
    cancel();
  }
  throw new CliError('timed out waiting for the condition');
};

/** Which of two pods is of more use: on a node, running, ready, older. */
const byUse = (a: Pod, b: Pod): number => {
  for (const is of [isAssigned, isRunning, isReady]) if (is(a) !== is(b)) return is(a) ? -1 : 1;
  const [left = '', right = ''] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  return left < right ? -1 : left > right ? 1 : 0;
};
const isAssigned = (pod: Pod): boolean => Boolean(pod.spec.nodeName);
const isRunning = (pod: Pod): boolean => pod.status?.phase === 'Running';
const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

const annotation = 'kubectl.kubernetes.io/default-container';

/** The container that is meant when none is named; `say` is told when there were others. */
export const defaultContainer = (pod: Pod, say: (text: string) => void): string => {
  const main = pod.spec.containers.map(container => container.name);
  const init = (pod.spec.initContainers ?? []).map(container => container.name);
  const annotated = pod.metadata.annotations?.[annotation];
  if (annotated && main.includes(annotated)) return annotated;
  const [first = ''] = main;
  if (main.length + init.length > 1) {
    const all = [...main, ...init.map(name => `${name} (init)`)].join(', ');
    say(`Defaulted container ${JSON.stringify(first)} out of: ${all}\n`);
  }
  return first;
};
