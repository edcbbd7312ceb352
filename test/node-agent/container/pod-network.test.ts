import { describe, expect, test } from 'vitest';
import { networkFault, podNetworkFault } from '#agent/container/pod-network.ts';
import { runHandler } from '#agent/pod/hooks.ts';
import { createStop } from '#base/stop.ts';
import { fakeMachine } from '#test/node-agent/fake-machine.ts';
import { FakeRuntime } from '#test/node-agent/fake-runtime.ts';
import { container, pod } from '#test/node-agent/pod-fixtures.ts';
import { virtualClock } from '#test/virtual.ts';

test.each([
  ['bridge', undefined],
  ['none', undefined],
  ['my_net.1-x', undefined],
  ['host', 'hostNetwork: true'],
  ['container:abc', 'docker network ls'],
  ['', 'docker network ls'],
])('the network %j for pods: %s', (name, fault) => {
  if (fault === undefined) expect(networkFault(name)).toBeUndefined();
  else expect(networkFault(name)).toContain(fault);
});

test('a host port needs a network', () => {
  const wants = pod({ containers: [container('app', { ports: [{ containerPort: 80, hostPort: 8080 }] })] });
  expect(podNetworkFault(wants, 'none')).toBe(
    'container "app" wants hostPort 8080, but pods of this node have no network',
  );
  expect(podNetworkFault(wants, 'bridge')).toBeUndefined();
  expect(podNetworkFault({ ...wants, spec: { ...wants.spec, hostNetwork: true } }, 'none')).toBeUndefined();
  expect(podNetworkFault(pod({ containers: [container('app', { ports: [{ containerPort: 80 }] })] }), 'none')).toBe(
    undefined,
  );
});

describe('a probe of a pod without an address', () => {
  const clock = virtualClock();
  const deps = { runtime: new FakeRuntime({ clock }), machine: fakeMachine(), clock };
  const target = { pod: pod(), container: container('app'), id: 'c', podIP: '', timeoutMs: 1000 };
  const { signal } = createStop();
  const failure = { result: 'failure', output: 'the pod has no address' };

  test('fails, and does not ask this machine instead', async () => {
    expect(await runHandler(deps, { httpGet: { port: 80 } }, target, signal)).toEqual(failure);
    expect(await runHandler(deps, { tcpSocket: { port: 80 } }, target, signal)).toEqual(failure);
  });

  test('is made when it names a host', async () => {
    expect(await runHandler(deps, { httpGet: { port: 80, host: '192.0.2.7' } }, target, signal)).toEqual({
      result: 'success',
      output: '',
    });
  });
});
