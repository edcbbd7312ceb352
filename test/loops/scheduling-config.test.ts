/** A configured scheduler as a service: several profiles at once, plugins of one's own, and what users see of their faults. */
import { afterEach, describe, expect, test } from 'vitest';
import { type Event, eventKind } from '#api/kinds/core.ts';
import { configOf } from '#test/engine/config/yaml.ts';
import { type SchedulingWorld, schedulingWorld } from './scheduling-world.ts';

let started: SchedulingWorld | undefined;

const start = async (text: string, own: Readonly<Record<string, unknown>> = {}): Promise<SchedulingWorld> => {
  const { config, faults } = configOf(text, own);
  expect(faults).toEqual([]);
  started = await schedulingWorld({ config: config! });
  return started;
};

afterEach(async () => {
  const stopping = started?.scheduler.stop();
  await started?.world.clock.advance(10_000);
  await stopping;
  started = undefined;
});

const scheduled = (it: SchedulingWorld, name: string) =>
  it.get(name).status?.conditions?.find(({ type }) => type === 'PodScheduled');

const by = (schedulerName: string) => ({ spec: { schedulerName } });

const packing = `
profiles:
- schedulerName: default-scheduler
- schedulerName: packing
  plugins: {score: {disabled: [{name: NodeResourcesBalancedAllocation}]}}
  pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: MostAllocated}}}]
`;

describe('profiles', () => {
  test('two at once: one spreads, the other packs, each under its name', async () => {
    const it = await start(packing);
    for (const name of ['n1', 'n2', 'n3']) await it.node(name);
    for (let i = 0; i < 3; i++) await it.pod(`spread-${i}`, { cpu: '1', memory: '1Gi' });
    await it.pass(500);
    expect(new Set([0, 1, 2].map(i => it.nodeOf(`spread-${i}`))).size).toBe(3);
    for (let i = 0; i < 3; i++) {
      await it.pod(`packed-${i}`, { cpu: '1', memory: '1Gi' }, by('packing'));
      await it.pass(200);
    }
    expect(new Set([0, 1, 2].map(i => it.nodeOf(`packed-${i}`))).size).toBe(1);

    const { items } = await it.client.list<Event>(eventKind, { namespace: 'default' });
    const sources = items.map(({ involvedObject, source, reportingComponent }) => [
      involvedObject?.name,
      source?.component || reportingComponent,
    ]);
    expect(sources).toContainEqual(['packed-0', 'packing']);
    expect(sources).toContainEqual(['spread-0', 'default-scheduler']);
  });

  test('a pod of an unknown scheduler is nobody’s business: it stays Pending without a word', async () => {
    const it = await start(packing);
    await it.node('n1');
    await it.pod('foreign', {}, by('another'));
    await it.pod('own');
    await it.pass(2000);
    expect(it.nodeOf('own')).toBe('n1');
    expect(it.nodeOf('foreign')).toBe('');
    expect(it.get('foreign').status?.phase).toBe('Pending');
    expect(scheduled(it, 'foreign')).toBeUndefined();
    expect(await it.events('FailedScheduling', 'foreign')).toEqual([]);
  });

  test('a configuration without default-scheduler leaves ordinary pods alone', async () => {
    const it = await start('profiles: [{schedulerName: mine}]');
    await it.node('n1');
    await it.pod('ordinary');
    await it.pod('mine', {}, by('mine'));
    await it.pass(1000);
    expect([it.nodeOf('ordinary'), it.nodeOf('mine')]).toEqual(['', 'n1']);
  });

  test('a plugin that one profile leaves out still counts in the other', async () => {
    const it = await start(
      'profiles:\n- schedulerName: default-scheduler\n- schedulerName: careless\n  plugins: {multiPoint: {disabled: [{name: TaintToleration}]}}\n',
    );
    await it.node('n1', undefined, { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } });
    await it.pod('careful');
    await it.pod('careless', {}, by('careless'));
    await it.pass(1000);
    expect([it.nodeOf('careful'), it.nodeOf('careless')]).toEqual(['', 'n1']);
  });

  test('backoff limits are kept', async () => {
    const attemptsIn = async (text: string): Promise<number> => {
      const it = await start(
        `x-berth-plugins: [{name: Never, file: never.ts}]\nprofiles: [{plugins: {filter: {enabled: [{name: Never}]}}}]\n${text}`,
        {
          Never: {
            filter: () => {
              throw new Error('no');
            },
          },
        },
      );
      await it.node('n1');
      await it.pod('p');
      for (let i = 0; i < 60; i++) await it.pass(1000);
      return it.scheduler.counters.attempts.error;
    };
    const few = await attemptsIn('podInitialBackoffSeconds: 20\npodMaxBackoffSeconds: 20\n');
    const stopping = started?.scheduler.stop();
    await started?.world.clock.advance(10_000);
    await stopping;
    const many = await attemptsIn('podInitialBackoffSeconds: 1\npodMaxBackoffSeconds: 2\n');
    expect(few).toBeGreaterThanOrEqual(3);
    expect(few).toBeLessThanOrEqual(4);
    expect(many).toBeGreaterThan(20);
  });
});

describe('plugins of one’s own', () => {
  const enabled =
    'x-berth-plugins: [{name: Mine, file: mine.ts}]\nprofiles: [{plugins: {multiPoint: {enabled: [{name: Mine}]}}}]\n';

  test('say why in condition and event, and the pod is tried again when anything changes', async () => {
    const it = await start(enabled, {
      Mine: {
        filter: (_pod: unknown, { labels }: { labels: Record<string, string> }) =>
          labels['open'] === 'yes' ? undefined : 'node(s) had closed',
      },
    });
    await it.node('n1');
    await it.pod('p');
    await it.pass(100);
    const message =
      '0/1 nodes are available: 1 node(s) had closed. no new claims to deallocate, preemption: 0/1 nodes are available: ' +
      '1 No preemption victims found for incoming pod.';
    expect(scheduled(it, 'p')).toMatchObject({ status: 'False', reason: 'Unschedulable', message });
    expect(await it.events('FailedScheduling', 'p')).toEqual([message]);
    await it.node('n2', undefined, { metadata: { name: 'n2', labels: { open: 'yes' } } });
    await it.pass(2000);
    expect(it.nodeOf('p')).toBe('n2');
  });

  test('one that throws costs the pod its attempt, is named in event and condition, and does not stop the others', async () => {
    let isBroken = true;
    const it = await start(enabled, {
      Mine: {
        filter({ metadata }: { metadata: { name: string } }) {
          if (isBroken && metadata.name === 'unlucky') throw new Error('no such zone');
          return undefined;
        },
      },
    });
    await it.node('n1');
    await it.pod('unlucky');
    await it.pod('lucky');
    await it.pass(500);
    expect(it.nodeOf('lucky')).toBe('n1');
    expect(it.nodeOf('unlucky')).toBe('');
    const message = /^running "Mine" filter plugin: no such zone \(scheduling-config\.test\.ts:\d+:\d+\)$/;
    expect(scheduled(it, 'unlucky')).toMatchObject({
      status: 'False',
      reason: 'SchedulerError',
      message: expect.stringMatching(message),
    });
    expect(await it.events('FailedScheduling', 'unlucky')).toEqual([expect.stringMatching(message)]);
    isBroken = false;
    for (let i = 0; i < 10; i++) await it.pass(1000);
    expect(it.nodeOf('unlucky')).toBe('n1');
  });
});

describe('manifests/scheduler/scheduler.yaml', () => {
  test('does what its comments say', async () => {
    const { readSchedulerConfig } = await import('#cli/local/scheduler-config.ts');
    const { config, warnings } = await readSchedulerConfig(
      new URL('../../manifests/scheduler/scheduler.yaml', import.meta.url).pathname,
    );
    expect(warnings).toEqual([]);
    started = await schedulingWorld({ config });
    const it = started;
    const zones: Record<string, string> = { n1: 'a', n2: 'a', n3: 'b', n4: 'b' };
    for (const [name, zone] of Object.entries(zones))
      await it.node(
        name,
        { cpu: '8', memory: '16Gi', pods: '20' },
        {
          metadata: { name, labels: { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': zone } },
        },
      );

    // A tenant's pods go to its home zone, three to a node, and elsewhere once that is full.
    for (let i = 0; i < 13; i++) {
      await it.pod(`t-${i}`, { cpu: '100m' }, { labels: { tenant: 'blue' } });
      await it.pass(200);
    }
    const zoneOf = (name: string) => zones[it.nodeOf(name)];
    const first = Array.from({ length: 6 }, (_, i) => zoneOf(`t-${i}`));
    expect(new Set(first).size).toBe(1);
    const later = Array.from({ length: 6 }, (_, i) => zoneOf(`t-${i + 6}`));
    expect(new Set(later)).toEqual(new Set([first[0] === 'a' ? 'b' : 'a']));
    expect(scheduled(it, 't-12')?.message).toMatch(
      /^0\/4 nodes are available: 4 node\(s\) had enough pods of the tenant\./,
    );

    // `packing` fills a node up; `even` takes the node with the fewest pods, however big they are.
    for (let i = 0; i < 3; i++) {
      await it.pod(`packed-${i}`, { cpu: '2' }, by('packing'));
      await it.pass(200);
    }
    expect(new Set([0, 1, 2].map(i => it.nodeOf(`packed-${i}`))).size).toBe(1);
    await it.pod('even', { cpu: '100m' }, by('even'));
    await it.pass(200);
    expect(it.nodeOf('even')).not.toBe(it.nodeOf('packed-0'));
  });
});
