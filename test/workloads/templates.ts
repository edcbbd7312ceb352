/**
 * The nodes and pods that scheduler_perf's workloads are made of: the templates of test/data/scheduler-perf/workloads.json,
 * and those that the file names in words only.
 */
import { readFileSync } from 'node:fs';
import type { Node, Pod, PodAffinityTerm, PodSpec, TopologySpreadConstraint } from '#api/kinds/core.ts';

interface Template {
  readonly kind: 'node' | 'pod';
  readonly name?: string;
  readonly capacity?: Record<string, string>;
  readonly taints?: { key: string; effect: string }[];
  readonly labels?: Record<string, string>;
  readonly priority?: number;
  readonly resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  readonly affinity?: PodSpec['affinity'];
  readonly topologySpreadConstraints?: TopologySpreadConstraint[];
  readonly schedulingGates?: string[];
  readonly terminationGracePeriodSeconds?: number;
}

const file = new URL('../data/scheduler-perf/workloads.json', import.meta.url);
const { templates } = JSON.parse(readFileSync(file, 'utf8')) as { templates: Record<string, Template> };

export const nodeFrom = (template: string, name: string, labels: Record<string, string> = {}): Node => {
  const { capacity = {}, taints } = templates[template]!;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: taints === undefined ? {} : { taints: taints as NonNullable<NonNullable<Node['spec']>['taints']> },
    status: { capacity, allocatable: capacity },
  } as Node;
};

/** A fresh object each time, as if it had come over the wire. */
export const podFrom = (template: string, name: string, namespace = 'default', i = 0): Pod => {
  const { labels, priority, resources, schedulingGates, ...spec } = templates[template]!;
  const { affinity, topologySpreadConstraints, terminationGracePeriodSeconds } = spec;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: `uid-${namespace}-${name}`, labels },
    spec: {
      containers: [{ name: 'pause', image: 'registry.k8s.io/pause:3.10.1', resources }],
      priority: priority ?? 0,
      affinity,
      topologySpreadConstraints,
      terminationGracePeriodSeconds,
      schedulingGates: schedulingGates?.map(gate => ({ name: gate })),
    },
    status: { phase: 'Pending' },
  };
  return JSON.parse(JSON.stringify(pod).replaceAll('{i}', String(i))) as Pod;
};

/** So many of them, called prefix-0, prefix-1 … */
export const podsFrom = (template: string, prefix: string, count: number, namespace = 'default'): Pod[] =>
  Array.from({ length: count }, (_, i) => podFrom(template, `${prefix}-${i}`, namespace, i));

/** The term of a template, with a selector of namespaces in place of their names. */
const bySelector = ({ namespaces: _, ...term }: PodAffinityTerm): PodAffinityTerm => ({
  ...term,
  namespaceSelector: { matchLabels: { team: 'devops' } },
});

const blue = templates['pod-affinity']!;
templates['pod-affinity-nsselector'] = {
  ...blue,
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution:
        blue.affinity!.podAffinity!.requiredDuringSchedulingIgnoredDuringExecution!.map(bySelector),
    },
  },
};

const yellow = templates['pod-preferred-anti-affinity']!;
templates['pod-preferred-anti-affinity-nsselector'] = {
  ...yellow,
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution:
        yellow.affinity!.podAntiAffinity!.preferredDuringSchedulingIgnoredDuringExecution!.map(
          ({ weight, podAffinityTerm }) => ({
            weight,
            podAffinityTerm: bySelector(podAffinityTerm),
          }),
        ),
    },
  },
};
