/** What becomes of pods whose containers were all taken away while no agent ran (`berth down`, a new machine's engine). */
import { expect, test } from 'vitest';
import { type Pod, podKind } from '#api/kinds/core.ts';
import { container } from '#test/node-agent/pod-fixtures.ts';
import { newWorld, type Programs } from '#test/node-agent/virtual-node.ts';

const programs: Programs = { 'serve:1': {}, 'job:1': { runsMs: 1000, exitCode: 0 } };

const wiped = async (spec: Partial<Pod['spec']>) => {
  const world = await newWorld(programs);
  const { clock, client, runtime } = world;
  client.put(podKind, {
    metadata: { name: 'web', namespace: 'default', uid: 'u' },
    spec: { containers: [container('app', { image: 'serve:1' })], restartPolicy: 'Always', nodeName: 'n1', ...spec },
    status: { phase: 'Pending' },
  });
  await clock.advance(5000);
  expect(client.peek(podKind, 'web', 'default')!.status!.phase).toBe('Running');
  await world.restart(async () => {
    for (const { id } of await runtime.list({})) await runtime.remove(id);
    await clock.advance(5000);
  });
  await clock.advance(5000);
  const { status } = client.peek(podKind, 'web', 'default')!;
  return { ...world, status: status!, app: status!.containerStatuses![0]! };
};

const unknown = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated.  The container used to be Running',
};

test('with restartPolicy Always they run again, their init containers first', async () => {
  const { status, app, runtime } = await wiped({
    initContainers: [container('init', { image: 'job:1' })],
  });
  expect(status.phase).toBe('Running');
  expect(app).toMatchObject({ ready: true, restartCount: 1 });
  // No times: nobody knows when it ended.
  const { containerID, ...last } = app.lastState!.terminated!;
  expect(last).toEqual(unknown);
  expect(status.initContainerStatuses![0]).toMatchObject({
    ready: true,
    restartCount: 1,
    state: { terminated: { exitCode: 0, reason: 'Completed' } },
  });
  expect([...runtime.starts.keys()].filter(name => !name.includes('POD'))).toEqual(
    ['init_web_default_u_0', 'app_web_default_u_0', 'init_web_default_u_1', 'app_web_default_u_1'].map(
      name => `k8s_${name}`,
    ),
  );
});

test('with restartPolicy Never they have failed', async () => {
  const { status, app, runtime } = await wiped({ restartPolicy: 'Never' });
  expect(status.phase).toBe('Failed');
  const { containerID, ...state } = app.state!.terminated!;
  expect(state).toEqual(unknown);
  expect(await runtime.list({})).toEqual([]);
});

test('with restartPolicy OnFailure what has succeeded is not run again', async () => {
  const containers = [container('app', { image: 'serve:1' }), container('once', { image: 'job:1' })];
  const { status, app, runtime } = await wiped({ restartPolicy: 'OnFailure', containers });
  expect(status.phase).toBe('Running');
  expect(app).toMatchObject({ ready: true, restartCount: 1 });
  expect(status.containerStatuses![1]).toMatchObject({
    restartCount: 0,
    state: { terminated: { exitCode: 0, reason: 'Completed' } },
  });
  expect(runtime.starts.get('k8s_once_web_default_u_1')).toBeUndefined();
});
