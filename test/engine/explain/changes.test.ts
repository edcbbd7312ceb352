/** Single suggestions, looked at closely; that all of them are true is in changes.property.test.ts. */
import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import { podRequests } from '#api/resources.ts';
import { smallestChanges } from '#engine/explain/changes.ts';
import { editText } from '#engine/explain/edit-text.ts';
import { withRequest } from '#engine/explain/lower-request.ts';
import { defaultProfile } from '#engine/profile.ts';
import { columnsOf, emptyState } from '#engine/world.ts';

const node = (name: string, cpu: string, labels: Record<string, string> = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
  spec: {},
  status: { allocatable: { cpu, memory: '8Gi', pods: '110' } },
});
const pod = (name: string, cpu: string, spec: object = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], ...spec },
  }) as Pod;
const texts = (subject: Pod, nodes: readonly Node[], pods: readonly Pod[]): readonly string[] => {
  const columns = columnsOf({ ...emptyState, nodes, pods });
  const options = { nowMs: 0, limit: 20, priorityClasses: [] };
  return smallestChanges(columns.view(subject), columns, defaultProfile(), options).map(({ edits }) =>
    edits.map(editText).join(', and '),
  );
};

describe('the smallest changes', () => {
  test('find the one small pod to delete, however many nodes are nearer to fitting', () => {
    const nodes = Array.from({ length: 100 }, (_, i) => node(`n${i}`, '4'));
    const pods = nodes.flatMap(({ metadata: { name } }, i) =>
      i === 77
        ? [pod('least', '1100m', { nodeName: name }), pod('rest', '1900m', { nodeName: name, priority: 5 })]
        : Array.from({ length: 4 }, (__, j) => pod(`p${i}-${j}`, '700m', { nodeName: name, priority: j })),
    );
    expect(texts(pod('new', '2'), nodes, pods)).toContain('delete default/least on node n77');
  });

  test('raise a priority no further than is needed', () => {
    const pods = [pod('a', '4', { nodeName: 'n1', priority: 10 }), pod('b', '4', { nodeName: 'n2', priority: 3 })];
    expect(texts(pod('new', '2'), [node('n1', '4'), node('n2', '4')], pods)).toContain(
      "raise the pod's priority from 0 to 4",
    );
  });

  test('add a node where the spread of the pod allows it', () => {
    const zone = (value: string) => ({ 'topology.kubernetes.io/zone': value });
    const spread = {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    };
    const labelled = (one: Pod): Pod => ({ ...one, metadata: { ...one.metadata, labels: { app: 'web' } } });
    const pods = [labelled(pod('w', '1', { nodeName: 'a' })), pod('full', '4', { nodeName: 'b' })];
    const nodes = [node('a', '4', zone('a')), node('b', '4', zone('b'))];
    expect(texts(labelled(pod('new', '3', spread)), nodes, pods)).toContain(
      'add a node with 4 cpu and 8Gi memory, labelled topology.kubernetes.io/zone=b',
    );
  });

  test('name the node that the pod names, and leave names and kinds of nodes as they are', () => {
    const field = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n9'] }] };
    const affinity = {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [field] } },
    };
    const nodes = [node('n1', '4'), node('n2', '4')];
    expect(texts(pod('new', '1', { affinity }), nodes, [])).toEqual([
      "drop metadata.name In [n9] from the pod's node affinity",
      'add a node named n9 with 1 cpu and 1Gi memory',
    ]);
    const nodeSelector = { 'kubernetes.io/hostname': 'n9', 'kubernetes.io/arch': 'arm64' };
    expect(texts(pod('new', '1', { nodeSelector }), nodes, [])).toEqual([
      'add a node named n9 with 1 cpu and 1Gi memory, labelled kubernetes.io/arch=arm64',
      "drop kubernetes.io/hostname=n9 from the pod's node selector, and drop kubernetes.io/arch=arm64 from the pod's node selector",
    ]);
  });

  test('are each told once, whatever the nodes have instead', () => {
    const term = { matchExpressions: [{ key: 'disk', operator: 'In', values: ['nvme'] }] };
    const affinity = {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
    };
    const told = texts(pod('new', '1', { affinity }), [node('n1', '4', { disk: 'ssd' }), node('n2', '4')], []);
    expect(told.filter(text => text.startsWith('drop'))).toEqual(["drop disk In [nvme] from the pod's node affinity"]);
  });

  test('are none for a pod that fits', () => {
    expect(texts(pod('new', '2'), [node('n1', '4')], [])).toEqual([]);
  });
});

describe('a lowered request', () => {
  const container = (cpu: string) => ({ name: cpu, image: 'i', resources: { requests: { cpu } } });
  test.each<[string, object, number, string]>([
    ['one container', { containers: [container('3')] }, 2500, '2500m'],
    ['the largest of several', { containers: [container('3'), container('1')] }, 2500, '2500m'],
    [
      'init containers that ask for more',
      { containers: [container('1')], initContainers: [container('3')] },
      1500,
      '1500m',
    ],
    [
      'a sidecar before an init container',
      {
        containers: [container('1')],
        initContainers: [{ ...container('500m'), restartPolicy: 'Always' }, container('3')],
      },
      1400,
      '1400m',
    ],
    ['overhead', { containers: [container('1')], overhead: { cpu: '250m' } }, 750, '750m'],
    ['pod-level requests', { containers: [container('1')], resources: { requests: { cpu: '3' } } }, 2000, '2'],
  ])('of a pod with %s is what it asks for in all', (_, spec, target, text) => {
    const lowered = withRequest(pod('p', '0', spec), 'cpu', target);
    expect(podRequests(lowered!)['cpu']).toBe(text);
  });

  test('below the overhead is not possible', () => {
    expect(withRequest(pod('p', '1', { overhead: { cpu: '250m' } }), 'cpu', 200)).toBeUndefined();
  });
});
