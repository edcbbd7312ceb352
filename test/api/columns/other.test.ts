import { describe, expect, it } from 'vitest';
import { decodeObject } from '#api/decode.ts';
import type { Kind } from '#api/kind.ts';
import { replicaSetKind, statefulSetKind } from '#api/kinds/apps.ts';
import { leaseKind } from '#api/kinds/coordination.ts';
import {
  configMapKind,
  eventKind,
  namespaceKind,
  nodeKind,
  secretKind,
  serviceAccountKind,
  serviceKind,
} from '#api/kinds/core.ts';
import { podDisruptionBudgetKind } from '#api/kinds/policy.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import type { KubeObject } from '#api/object.ts';

const nowMs = Date.parse('2026-11-21T20:00:00Z');
const created = { name: 'x', creationTimestamp: '2026-11-21T19:59:00Z' };

/** The row of an object as kubectl would print it with -o wide, and its header. */
const row = <T extends KubeObject>(kind: Kind<T>, json: Readonly<Record<string, unknown>>): string => {
  const { object } = decodeObject(kind, {
    ...json,
    metadata: { ...created, ...(json['metadata'] as object | undefined) },
  });
  return kind.columns.map(column => String(column.cell(object, nowMs))).join(' | ');
};
const header = (kind: Kind): string =>
  kind.columns
    .map(({ name, priority = 0, type }) => `${name}${priority === 1 ? '*' : ''}${type === 'string' ? '' : `(${type})`}`)
    .join(', ');

describe('columns', () => {
  it('have the names, order, types and priorities of upstream', () => {
    expect(header(nodeKind)).toBe(
      'Name, Status, Roles, Age, Version, Internal-IP*, External-IP*, OS-Image*, Kernel-Version*, Container-Runtime*',
    );
    expect(header(eventKind)).toBe(
      'Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*',
    );
    expect(header(serviceKind)).toBe('Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*');
    expect(header(replicaSetKind)).toBe(
      'Name, Desired(integer), Current(integer), Ready(integer), Age, Containers*, Images*, Selector*',
    );
    expect(header(statefulSetKind)).toBe('Name, Ready, Age, Containers*, Images*');
    expect(header(podDisruptionBudgetKind)).toBe(
      'Name, Min Available, Max Unavailable, Allowed Disruptions(integer), Age',
    );
    expect(header(priorityClassKind)).toBe('Name, Value(integer), Global-Default(boolean), Age, PreemptionPolicy');
    expect(header(leaseKind)).toBe('Name, Holder, Age');
    expect(header(namespaceKind)).toBe('Name, Status, Age');
    expect(header(configMapKind)).toBe('Name, Data, Age');
    expect(header(secretKind)).toBe('Name, Type, Data, Age');
    expect(header(serviceAccountKind)).toBe('Name, Secrets, Age');
  });

  it('of nodes', () => {
    expect(row(nodeKind, {})).toBe(
      'x | Unknown | <none> | 60s |  | <none> | <none> | <unknown> | <unknown> | <unknown>',
    );
    expect(
      row(nodeKind, {
        metadata: {
          labels: {
            'node-role.kubernetes.io/worker': '',
            'kubernetes.io/role': 'edge',
            'node-role.kubernetes.io/': '',
          },
        },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          addresses: [{ type: 'InternalIP', address: '10.0.0.5' }],
          nodeInfo: {
            kubeletVersion: 'v1',
            osImage: 'Debian',
            kernelVersion: '6',
            containerRuntimeVersion: 'docker://20',
          },
        },
      }),
    ).toBe('x | Ready,SchedulingDisabled | edge,worker | 60s | v1 | 10.0.0.5 | <none> | Debian | 6 | docker://20');
    expect(row(nodeKind, { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } })).toMatch(
      /^x \| NotReady \|/,
    );
  });

  it('of events', () => {
    const event = {
      involvedObject: { kind: 'Pod', name: 'p', fieldPath: 'spec.containers{a}' },
      reason: 'Pulled',
      type: 'Normal',
      message: ' pulled \n',
      source: { component: 'kubelet', host: 'n' },
      firstTimestamp: '2026-11-21T19:00:00Z',
      lastTimestamp: '2026-11-21T19:58:00Z',
      count: 3,
    };
    expect(row(eventKind, event)).toBe(
      '2m | Normal | Pulled | pod/p | spec.containers{a} | kubelet, n | pulled | 60m | 3 | x',
    );
    const { firstTimestamp: _first, lastTimestamp: _last, count: _count, source: _source, ...rest } = event;
    expect(
      row(eventKind, {
        ...rest,
        eventTime: '2026-11-21T19:59:30.000000Z',
        reportingComponent: 'sched',
        reportingInstance: 'i',
      }),
    ).toBe('30s | Normal | Pulled | pod/p | spec.containers{a} | sched, i | pulled | 30s | 1 | x');
    expect(row(eventKind, { ...event, series: { count: 9, lastObservedTime: '2026-11-21T19:59:50.000000Z' } })).toMatch(
      /^10s .* 9 \| x$/,
    );
  });

  it('of configuration', () => {
    expect(row(configMapKind, { data: { a: '', b: '' }, binaryData: { c: '' } })).toBe('x | 3 | 60s');
    expect(row(secretKind, { type: 'Opaque', data: { a: '' } })).toBe('x | Opaque | 1 | 60s');
    expect(row(serviceAccountKind, {})).toBe('x | 0 | 60s');
    expect(row(namespaceKind, { status: { phase: 'Active' } })).toBe('x | Active | 60s');
    expect(row(leaseKind, { spec: { holderIdentity: 'me' } })).toBe('x | me | 60s');
    expect(row(priorityClassKind, { value: 10 })).toBe('x | 10 | false | 60s | PreemptLowerPriority');
  });

  it('of services', () => {
    const ports = [
      { port: 80, protocol: 'TCP' },
      { port: 53, nodePort: 30053, protocol: 'UDP' },
    ];
    expect(
      row(serviceKind, { spec: { type: 'ClusterIP', clusterIP: '10.1.1.1', ports, selector: { b: '1', a: '2' } } }),
    ).toBe('x | ClusterIP | 10.1.1.1 | <none> | 80/TCP,53:30053/UDP | 60s | a=2,b=1');
    expect(row(serviceKind, { spec: { type: 'LoadBalancer' } })).toBe(
      'x | LoadBalancer | <none> | <pending> | <none> | 60s | <none>',
    );
    expect(row(serviceKind, { spec: { type: 'ExternalName', externalName: 'e.org' } })).toContain('| e.org |');
  });

  it('of workloads and budgets', () => {
    const template = {
      spec: {
        containers: [
          { name: 'a', image: 'i:1' },
          { name: 'b', image: 'j' },
        ],
      },
    };
    const selector = {
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['b', 'a'] },
        { key: 'aa', operator: 'DoesNotExist' },
      ],
    };
    expect(
      row(replicaSetKind, { spec: { replicas: 3, selector, template }, status: { replicas: 2, readyReplicas: 1 } }),
    ).toBe('x | 3 | 2 | 1 | 60s | a,b | i:1,j | !aa,app=web,tier in (a,b)');
    expect(
      row(statefulSetKind, {
        spec: { replicas: 3, selector, template, serviceName: 's' },
        status: { readyReplicas: 1, replicas: 1 },
      }),
    ).toBe('x | 1/3 | 60s | a,b | i:1,j');
    expect(row(podDisruptionBudgetKind, { spec: { minAvailable: '50%' }, status: { disruptionsAllowed: 2 } })).toBe(
      'x | 50% | N/A | 2 | 60s',
    );
    expect(row(podDisruptionBudgetKind, { spec: { maxUnavailable: 0 } })).toBe('x | N/A | 0 | 0 | 60s');
  });
});
