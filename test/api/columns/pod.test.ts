import { describe, expect, it } from 'vitest';
import { podColumns } from '#api/columns/core.ts';
import type { ContainerStatus, Pod } from '#api/kinds/core.ts';

const nowMs = Date.parse('2026-11-21T20:00:00Z');

type State = 'running' | 'ready' | { waiting: string } | { exit: number; reason?: string; signal?: number };

const status = (name: string, state: State, more: Partial<ContainerStatus> = {}): ContainerStatus =>
  ({
    name,
    image: 'i',
    imageID: '',
    restartCount: 0,
    ready: state === 'ready',
    state:
      typeof state === 'string'
        ? { running: {} }
        : 'waiting' in state
          ? { waiting: state.waiting === '' ? {} : { reason: state.waiting } }
          : {
              terminated: {
                exitCode: state.exit,
                ...(state.reason === undefined ? {} : { reason: state.reason }),
                ...(state.signal === undefined ? {} : { signal: state.signal }),
              },
            },
    ...more,
  }) as ContainerStatus;

interface Given {
  phase?: string;
  reason?: string;
  app?: ContainerStatus[];
  init?: ContainerStatus[];
  /** Names of init containers; a trailing * marks a sidecar. */
  initSpecs?: string[];
  conditions?: Record<string, string>;
  deleted?: boolean;
  spec?: object;
  status?: object;
}

const pod = (given: Given): Pod => {
  const app = given.app ?? [];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      creationTimestamp: '2026-11-21T19:50:00Z',
      ...(given.deleted ? { deletionTimestamp: '2026-11-21T19:59:00Z' } : {}),
    },
    spec: {
      containers: app.length === 0 ? [{ name: 'a' }] : app.map(({ name }) => ({ name })),
      initContainers: (given.initSpecs ?? []).map(name =>
        name.endsWith('*') ? { name: name.slice(0, -1), restartPolicy: 'Always' } : { name },
      ),
      ...given.spec,
    },
    status: {
      phase: given.phase ?? 'Running',
      ...(given.reason === undefined ? {} : { reason: given.reason }),
      containerStatuses: app,
      initContainerStatuses: given.init ?? [],
      conditions: Object.entries(given.conditions ?? {}).map(([type, value]) =>
        value === 'True' || value === 'False' ? { type, status: value } : { type, status: 'False', reason: value },
      ),
      ...given.status,
    },
  } as unknown as Pod;
};

const cells = (given: Given) =>
  Object.fromEntries(podColumns.map(column => [column.name, column.cell(pod(given), nowMs)]));

const previous = (finishedAt: string) =>
  ({ lastState: { terminated: { exitCode: 1, finishedAt } } }) as Partial<ContainerStatus>;

describe('pod columns', () => {
  it('have the names and priorities of kubectl get pods', () => {
    expect(podColumns.map(({ name, priority = 0 }) => `${name}${priority === 1 ? '*' : ''}`).join(', ')).toBe(
      'Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*',
    );
    expect(podColumns[0]).toMatchObject({ type: 'string', format: 'name' });
  });

  it.each<[string, Given, string, string]>([
    ['pending', { phase: 'Pending' }, '0/1', 'Pending'],
    ['gated', { phase: 'Pending', conditions: { PodScheduled: 'SchedulingGated' } }, '0/1', 'SchedulingGated'],
    ['evicted', { phase: 'Failed', reason: 'Evicted' }, '0/1', 'Evicted'],
    [
      'creating',
      { phase: 'Pending', app: [status('a', { waiting: 'ContainerCreating' })] },
      '0/1',
      'ContainerCreating',
    ],
    ['running', { app: [status('a', 'ready'), status('b', 'ready')] }, '2/2', 'Running'],
    ['not ready yet', { app: [status('a', 'running')] }, '0/1', 'Running'],
    [
      'crashing',
      { app: [status('a', { waiting: 'CrashLoopBackOff' }), status('b', 'ready')] },
      '1/2',
      'CrashLoopBackOff',
    ],
    [
      'the first container speaks last',
      { app: [status('a', { waiting: 'A' }), status('b', { waiting: 'B' })] },
      '0/2',
      'A',
    ],
    ['completed', { phase: 'Succeeded', app: [status('a', { exit: 0, reason: 'Completed' })] }, '0/1', 'Completed'],
    ['oom', { phase: 'Failed', app: [status('a', { exit: 137, reason: 'OOMKilled' })] }, '0/1', 'OOMKilled'],
    ['exit code', { phase: 'Failed', app: [status('a', { exit: 3 })] }, '0/1', 'ExitCode:3'],
    ['signal', { phase: 'Failed', app: [status('a', { exit: 137, signal: 9 })] }, '0/1', 'Signal:9'],
    [
      'one completed, one running, ready',
      { app: [status('a', { exit: 0, reason: 'Completed' }), status('b', 'ready')], conditions: { Ready: 'True' } },
      '1/2',
      'Running',
    ],
    [
      'one completed, one running, not ready',
      { app: [status('a', { exit: 0, reason: 'Completed' }), status('b', 'ready')], conditions: { Ready: 'False' } },
      '1/2',
      'NotReady',
    ],
    ['init running', { phase: 'Pending', initSpecs: ['i', 'j'], init: [status('i', 'running')] }, '0/1', 'Init:0/2'],
    [
      'second init running',
      {
        phase: 'Pending',
        initSpecs: ['i', 'j'],
        init: [status('i', { exit: 0 }), status('j', { waiting: 'PodInitializing' })],
      },
      '0/1',
      'Init:1/2',
    ],
    [
      'init failing',
      { phase: 'Pending', initSpecs: ['i'], init: [status('i', { exit: 1, reason: 'Error' })] },
      '0/1',
      'Init:Error',
    ],
    [
      'init exit code',
      { phase: 'Pending', initSpecs: ['i'], init: [status('i', { exit: 2 })] },
      '0/1',
      'Init:ExitCode:2',
    ],
    [
      'init signal',
      { phase: 'Pending', initSpecs: ['i'], init: [status('i', { exit: 2, signal: 11 })] },
      '0/1',
      'Init:Signal:11',
    ],
    [
      'init backing off',
      { phase: 'Pending', initSpecs: ['i'], init: [status('i', { waiting: 'CrashLoopBackOff' })] },
      '0/1',
      'Init:CrashLoopBackOff',
    ],
    [
      'sidecar started, init running',
      {
        phase: 'Pending',
        initSpecs: ['s*', 'i'],
        init: [status('s', 'ready', { started: true }), status('i', 'running')],
      },
      '1/2',
      'Init:1/2',
    ],
    [
      'sidecar and app ready',
      { initSpecs: ['s*'], init: [status('s', 'ready', { started: true })], app: [status('a', 'ready')] },
      '2/2',
      'Running',
    ],
    [
      'a sidecar that restarts in an initialised pod',
      {
        initSpecs: ['s*'],
        init: [status('s', { waiting: 'CrashLoopBackOff' })],
        app: [status('a', 'ready')],
        conditions: { Initialized: 'True' },
      },
      '1/2',
      'Init:CrashLoopBackOff',
    ],
    ['terminating', { deleted: true, app: [status('a', 'ready')] }, '1/1', 'Terminating'],
    [
      'terminating, but done',
      { deleted: true, phase: 'Succeeded', app: [status('a', { exit: 0, reason: 'Completed' })] },
      '0/1',
      'Completed',
    ],
    ['on a lost node', { deleted: true, reason: 'NodeLost' }, '0/1', 'Unknown'],
  ])('%s', (_what, given, ready, text) => {
    expect(cells(given)).toMatchObject({ Ready: ready, Status: text });
  });

  it('count restarts, with the time since the newest', () => {
    const app = [
      status('a', 'ready', { restartCount: 2, ...previous('2026-11-21T19:55:00Z') }),
      status('b', 'ready', { restartCount: 1, ...previous('2026-11-21T19:50:00Z') }),
    ];
    expect(cells({ app })['Restarts']).toBe('3 (5m ago)');
    expect(cells({ app: [status('a', 'ready', { restartCount: 4 })] })['Restarts']).toBe('4');
    expect(cells({ app: [status('a', 'ready')] })['Restarts']).toBe('0');
    const init = [
      status('i', { waiting: 'CrashLoopBackOff' }, { restartCount: 7, ...previous('2026-11-21T19:58:30Z') }),
    ];
    expect(cells({ phase: 'Pending', initSpecs: ['i'], init })['Restarts']).toBe('7 (90s ago)');
    // Restarts of ordinary init containers are history once the pod is initialised.
    const done = [status('i', { exit: 0 }, { restartCount: 7, ...previous('2026-11-21T19:58:30Z') })];
    expect(cells({ initSpecs: ['i'], init: done, app: [status('a', 'ready')] })['Restarts']).toBe('0');
  });

  it('show placement in wide form, or that there is none', () => {
    expect(cells({})).toMatchObject({
      Age: '10m',
      IP: '<none>',
      Node: '<none>',
      'Nominated Node': '<none>',
      'Readiness Gates': '<none>',
    });
    expect(
      cells({
        spec: { nodeName: 'n', readinessGates: [{ conditionType: 'x/a' }, { conditionType: 'x/b' }] },
        status: { podIPs: [{ ip: '10.0.0.1' }], nominatedNodeName: 'm', conditions: [{ type: 'x/a', status: 'True' }] },
      }),
    ).toMatchObject({ IP: '10.0.0.1', Node: 'n', 'Nominated Node': 'm', 'Readiness Gates': '1/2' });
  });
});
