/** What `kubectl describe pod` tells of a pod in trouble: order, wording and counts of events; in virtual time. */
import { expect, test } from 'vitest';
import { type ConfigMap, configMapKind, type Pod, podKind } from '#api/kinds/core.ts';
import { container } from '#test/node-agent/pod-fixtures.ts';
import { newWorld, type Programs } from '#test/node-agent/virtual-node.ts';

const programs: Programs = { 'serve:1': {}, 'deaf:1': { deaf: true }, 'crash:1': { runsMs: 1000, exitCode: 1 } };

const start = async (app: Parameters<typeof container>[1], spec: Partial<Pod['spec']> = {}) => {
  const world = await newWorld(programs);
  const containers = [container('app', { imagePullPolicy: 'IfNotPresent', ...app })];
  const pod = world.client.put(podKind, {
    metadata: { name: 'web', namespace: 'default', uid: 'u' },
    spec: { containers, restartPolicy: 'Always', nodeName: 'n1', terminationGracePeriodSeconds: 10, ...spec },
    status: { phase: 'Pending' },
  });
  await world.clock.advance(500);
  return { ...world, pod, events: () => world.events('web') };
};

const started = (image: string, times = '') => [
  `Normal Pulled${times}: Container image "${image}" already present on machine and can be accessed by the pod`,
  `Normal Created${times}: Container created`,
  `Normal Started${times}: Container started`,
];
const backOff = 'Back-off restarting failed container app in pod web_default(u)';

test('a crash loop is told of at each sync of its back-off, as one event that counts', async () => {
  const { clock, events } = await start({ image: 'crash:1' });
  expect(events()).toEqual(started('crash:1'));
  // The first restart comes at once; the second end begins the first back-off, of ten seconds.
  await clock.advance(3000);
  expect(events()).toEqual([...started('crash:1', ' x2'), `Warning BackOff: ${backOff}`]);
  // Another run, then twenty seconds of back-off: told of at its start and once more.
  await clock.advance(25_000);
  expect(events()).toEqual([...started('crash:1', ' x3'), `Warning BackOff x3: ${backOff}`]);
});

test('a pull that fails is told of as failure, then as back-off with each sync', async () => {
  const said = 'Error response from daemon: dial tcp: lookup registry: no such host';
  const { clock, events } = await start({ image: 'gone:1' });
  const failed = (times = '') => [
    `Normal Pulling${times}: Pulling image "gone:1"`,
    `Warning Failed${times}: Failed to pull image "gone:1": ${said}`,
    `Warning Failed${times}: Error: ErrImagePull`,
  ];
  expect(events()).toEqual(failed());
  await clock.advance(3000);
  const waiting = (times = '') => [
    `Normal BackOff${times}: Back-off pulling image "gone:1"`,
    `Warning Failed${times}: Error: ImagePullBackOff`,
  ];
  expect(events()).toEqual([...failed(), ...waiting()]);
  // The second try after ten seconds; its back-off of twenty seconds is told of twice.
  await clock.advance(25_000);
  expect(events()).toEqual([...failed(' x2'), ...waiting(' x3')]);
});

test('an image that may not be pulled is looked for with each sync, without back-off', async () => {
  const { clock, events, runtime, client } = await start({ image: 'later:1', imagePullPolicy: 'Never' });
  await clock.advance(60_000);
  const message = 'Container image "later:1" is not present with pull policy of Never';
  expect(events()).toEqual([`Warning ErrImageNeverPull x7: ${message}`, 'Warning Failed x7: Error: ErrImageNeverPull']);
  runtime.addImage('later:1');
  await clock.advance(11_000);
  expect(client.peek(podKind, 'web', 'default')!.status!.phase).toBe('Running');
});

test('a missing ConfigMap of a variable is told of with each sync, and found at once when it comes', async () => {
  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } }];
  const { clock, events, client } = await start({ image: 'serve:1', env });
  await clock.advance(20_000);
  expect(events()).toEqual([started('serve:1')[0], 'Warning Failed x3: Error: configmap "cm" not found']);
  client.put<ConfigMap>(configMapKind, { metadata: { name: 'cm', namespace: 'default' }, data: { k: 'v' } });
  await clock.advance(1000);
  expect(events().slice(2)).toEqual(started('serve:1').slice(1));
});

test('a missing ConfigMap of a volume is told of with the back-off of mounts', async () => {
  const { clock, events } = await start({ image: 'serve:1' }, { volumes: [{ name: 'v', configMap: { name: 'cm' } }] });
  const message = 'MountVolume.SetUp failed for volume "v" : configmap "cm" not found';
  await clock.advance(8000);
  expect(events()).toEqual([`Warning FailedMount x5: ${message}`]);
});

test('a deletion is told of once, however long the grace is', async () => {
  const { clock, events, client } = await start({ image: 'deaf:1' });
  await client.remove(podKind, { namespace: 'default', name: 'web' });
  await clock.advance(12_000);
  expect(client.peek(podKind, 'web', 'default')).toBeUndefined();
  expect(events()).toEqual([...started('deaf:1'), 'Normal Killing: Stopping container app']);
});
