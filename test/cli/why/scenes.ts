/** Small clusters, written short, and what `berth why` is asked about them: for the texts in test/golden/why. */
import type { Event, Node, Pod } from '#api/kinds/core.ts';
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import { askWhy, type Question } from '#cli/why/ask.ts';
import { defaultProfiles } from '#cli/why/profiles.ts';
import { type ClusterState, emptyState } from '#engine/world.ts';

export const nowMs = Date.parse('2026-05-04T12:00:00Z');

type More<T> = { readonly [K in keyof T]?: T[K] };

/** `size`: cpu and memory, `4/8Gi`. */
export const node = (
  name: string,
  size: string,
  more: { labels?: Record<string, string>; spec?: Node['spec']; allocatable?: Record<string, string> } = {},
): Node => {
  const [cpu = '', memory = ''] = size.split('/');
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...more.labels } },
    spec: more.spec ?? {},
    status: { allocatable: { cpu, memory, pods: '110', ...more.allocatable } },
  };
};

/** `asks`: cpu and memory, `500m/1Gi`, or '' for nothing. */
export const pod = (
  name: string,
  asks: string,
  more: { labels?: Record<string, string>; spec?: More<Pod['spec']>; status?: Pod['status']; metadata?: object } = {},
): Pod => {
  const [cpu, memory] = asks.split('/');
  const requests = { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, labels: more.labels ?? {}, ...more.metadata },
    spec: { containers: [{ name: 'c', image: 'web:1', resources: { requests } }], ...more.spec },
    status: more.status ?? { phase: 'Pending' },
  } as Pod;
};

/** Pods of one form on a node. */
export const on = (nodeName: string, ...pods: readonly Pod[]): readonly Pod[] =>
  pods.map(one => ({ ...one, spec: { ...one.spec, nodeName } }));

export const budget = (name: string, app: string, allowed: number): PodDisruptionBudget =>
  ({
    metadata: { name, namespace: 'default' },
    spec: { selector: { matchLabels: { app } } },
    status: { disruptionsAllowed: allowed },
  }) as unknown as PodDisruptionBudget;

export const failure = (message: string, count: number, times: readonly [first: string, last: string]): Event =>
  ({
    metadata: { name: 'e', namespace: 'default' },
    reason: 'FailedScheduling',
    type: 'Warning',
    message,
    count,
    firstTimestamp: times[0],
    lastTimestamp: times[1],
    involvedObject: { kind: 'Pod', name: 'web' },
  }) as unknown as Event;

export const ask = (
  subject: Pod,
  state: More<ClusterState>,
  more: More<Omit<Question, 'pod' | 'state'>> = {},
): ReturnType<typeof askWhy> =>
  askWhy({
    pod: subject,
    state: { ...emptyState, ...state, pods: [...(state.pods ?? []), subject] },
    profiles: defaultProfiles(),
    events: [],
    decisions: undefined,
    nowMs,
    limit: 10,
    history: false,
    ...more,
  });
