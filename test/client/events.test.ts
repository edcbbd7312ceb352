import { expect, test } from 'vitest';
import { eventKind } from '#api/kinds/core.ts';
import { forbidden, unavailable } from '#api/status.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createRecorder } from '#client/events.ts';
import { FakeClient } from '#test/client/fake-client.ts';
import { virtualClock } from '#test/virtual.ts';

const pod = (name = 'web') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '7' },
});

const start = () => {
  const clock = virtualClock();
  const client = new FakeClient(clock);
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) };
  const recorder = createRecorder({ client, clock, random: seededRandom(1), log, component: 'kubelet', host: 'n1' });
  const events = () => client.all(eventKind);
  return { clock, client, recorder, events, warnings };
};

test('an event has the fields that kubectl shows and searches by', async () => {
  const { recorder, events } = start();
  recorder.event(pod(), 'Normal', 'Pulled', 'Container image "x" already present', {
    fieldPath: 'spec.containers{app}',
  });
  await recorder.flush();
  const [event] = events();
  expect(event).toMatchObject({
    metadata: { namespace: 'shop', name: expect.stringMatching(/^web\.[0-9a-f]{16}$/) },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: 'shop',
      name: 'web',
      uid: 'uid-web',
      resourceVersion: '7',
      fieldPath: 'spec.containers{app}',
    },
    type: 'Normal',
    reason: 'Pulled',
    message: 'Container image "x" already present',
    source: { component: 'kubelet', host: 'n1' },
    reportingComponent: 'kubelet',
    reportingInstance: 'n1',
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
  });
});

test('events about cluster-scoped objects are in namespace default', async () => {
  const { recorder, events } = start();
  recorder.event({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: 'n1' } }, 'Normal', 'NodeReady', 'ok');
  await recorder.flush();
  expect(events()[0]?.metadata.namespace).toBe('default');
  expect(events()[0]?.involvedObject).not.toHaveProperty('namespace');
});

test('names of events of one instant are in the order in which they were recorded', async () => {
  const { recorder, events } = start();
  const messages = Array.from({ length: 8 }, (_, i) => `message ${i}`);
  for (const message of messages) recorder.event(pod(), 'Normal', 'Told', message);
  await recorder.flush();
  const named = events().sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  expect(named.map(({ message }) => message)).toEqual(messages);
});

test('the same event again raises the count of the one that is there', async () => {
  const { clock, client, recorder, events } = start();
  for (let i = 0; i < 3; i++) {
    recorder.event(pod(), 'Warning', 'BackOff', 'Back-off restarting');
    await clock.advance(10_000);
  }
  expect(events()).toMatchObject([
    { count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:20Z' },
  ]);
  expect(client.calls.map(call => call.verb)).toEqual(['create', 'patch', 'patch']);
});

test('repetitions that come while it waits go into one request', async () => {
  const { client, recorder, events } = start();
  for (let i = 0; i < 20; i++) recorder.event(pod(), 'Warning', 'BackOff', 'Back-off restarting');
  await recorder.flush();
  expect(events()).toMatchObject([{ count: 20 }]);
  expect(client.calls.length).toBeLessThanOrEqual(2);
});

test('many similar events are combined from the tenth message on', async () => {
  const { recorder, events } = start();
  for (let i = 1; i <= 12; i++) recorder.event(pod(), 'Warning', 'Failed', `attempt ${i}`);
  await recorder.flush();
  const combined = events().filter(event => event.message?.startsWith('(combined from similar events): '));
  expect(events().length).toBe(10);
  expect(combined).toMatchObject([{ message: '(combined from similar events): attempt 12', count: 3 }]);
});

test('ten quiet minutes later similar events stand alone again', async () => {
  const { clock, recorder, events } = start();
  for (let i = 1; i <= 9; i++) recorder.event(pod(), 'Warning', 'Failed', `attempt ${i}`);
  await clock.advance(600_001);
  recorder.event(pod(), 'Warning', 'Failed', 'attempt 10');
  await recorder.flush();
  expect(events().some(event => event.message === 'attempt 10')).toBe(true);
});

test('an object without end of events is cut off after 25, gets one more each 5 minutes, and does not silence others', async () => {
  const { clock, recorder, events } = start();
  const total = () => events().reduce((sum, event) => sum + (event.count ?? 0), 0);
  for (let i = 0; i < 40; i++) recorder.event(pod(), 'Normal', `Reason${i}`, 'x');
  await recorder.flush();
  expect(total()).toBe(25);
  await clock.advance(300_000);
  recorder.event(pod(), 'Normal', 'Later', 'x');
  recorder.event(pod(), 'Normal', 'Lost', 'x');
  recorder.event(pod('other'), 'Normal', 'Seen', 'x');
  await recorder.flush();
  expect(events().map(event => event.reason)).toEqual(expect.arrayContaining(['Later', 'Seen']));
  expect(events().map(event => event.reason)).not.toContain('Lost');
});

test('an event that has expired on the server is made anew', async () => {
  const { client, recorder, events } = start();
  recorder.event(pod(), 'Normal', 'Pulled', 'x');
  await recorder.flush();
  await client.remove(eventKind, { name: events()[0]?.metadata.name ?? '', namespace: 'shop' });
  recorder.event(pod(), 'Normal', 'Pulled', 'x');
  await recorder.flush();
  expect(events()).toMatchObject([{ count: 2 }]);
});

test('while the server is away events wait; when it is back they arrive; beyond 1000 they are dropped and that is logged once', async () => {
  const { clock, client, recorder, events, warnings } = start();
  client.fault = () => unavailable('away');
  for (let i = 0; i < 1500; i++) recorder.event(pod(`p${i}`), 'Normal', 'Started', 'x');
  await clock.advance(1000);
  client.fault = () => undefined;
  await clock.advance(60_000);
  expect(events().length).toBe(1000 + 2);
  expect(recorder.dropped).toBe(500 - 2);
  expect(warnings).toEqual(['events are dropped: 1000 events wait already']);
});

test('what the server refuses is given up at once', async () => {
  const { client, recorder } = start();
  client.fault = () => forbidden(eventKind, 'x', 'the namespace is being terminated');
  recorder.event(pod(), 'Normal', 'Killing', 'x');
  await recorder.flush();
  expect([client.calls.length, recorder.dropped]).toEqual([1, 1]);
});

test('flush does not wait for ever for a server that is away', async () => {
  const { clock, client, recorder } = start();
  client.fault = () => unavailable('away');
  recorder.event(pod(), 'Normal', 'Started', 'x');
  let flushed = false;
  const flushing = recorder.flush().then(() => {
    flushed = true;
  });
  await clock.advance(4999);
  expect(flushed).toBe(false);
  await clock.advance(1);
  await flushing;
});

test('an event is sent only when its turn has come', async () => {
  const { clock, client } = start();
  let open = (): void => {};
  const turn = () =>
    new Promise<void>(resolve => {
      open = resolve;
    });
  const recorder = createRecorder({ client, clock, random: seededRandom(1), log: silentLog, component: 'x', turn });
  recorder.event(pod(), 'Normal', 'Started', 'x');
  await clock.advance(1000);
  expect(client.calls.length).toBe(0);
  open();
  await recorder.flush();
  expect(client.calls.length).toBe(1);
});
