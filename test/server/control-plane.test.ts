import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  configMapKind,
  type Node,
  namespaceKind,
  nodeKind,
  type Pod,
  podKind,
  serviceAccountKind,
} from '#api/kinds/core.ts';
import { silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import { createHttpClient } from '#client/http.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '#scheduler/main.ts';

let dataDir = '';
const running: ControlPlane[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'berth-plane-'));
});
afterEach(async () => {
  for (const plane of running.splice(0)) await plane.stop();
  rmSync(dataDir, { recursive: true, force: true });
});
const start = async (options: Partial<ControlPlaneOptions> = {}) => {
  const plane = await startControlPlane({ clock: systemClock, random: systemRandom, log: silentLog, ...options });
  running.push(plane);
  return plane;
};
const over = (plane: ControlPlane) =>
  createHttpClient({ server: plane.url, token: plane.adminToken, caPem: plane.caPem });

/** The samples of /metrics by name and labels. */
const samplesOf = (text: string): Map<string, number> => {
  const samples = text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return new Map(samples.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
};

describe('the control plane', () => {
  test('has what a cluster has from its first start, and gives each namespace its own', async () => {
    const plane = await start();
    const client = over(plane);
    expect((await client.list(namespaceKind)).items.map(({ metadata }) => metadata.name)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ]);
    await client.create(namespaceKind, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'mine' }, spec: {} });
    await vi.waitFor(async () => {
      await client.get(serviceAccountKind, { namespace: 'mine', name: 'default' });
      const ca = await client.get(configMapKind, { namespace: 'mine', name: 'kube-root-ca.crt' });
      expect(ca.data?.['ca.crt']).toBe(plane.caPem);
    }, 10_000);
    await client.remove(namespaceKind, { name: 'mine' });
    await vi.waitFor(
      async () => expect((await client.list(configMapKind, { namespace: 'mine' })).items).toEqual([]),
      10_000,
    );
    await client.close();
  });

  test('places a pod on a node that has room', async () => {
    const plane = await start();
    const client = over(plane);
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: {} };
    await client.create(nodeKind, node as Node);
    const allocatable = { cpu: '2', memory: '2Gi', pods: '10' };
    const now = new Date().toISOString().replace(/\.\d+/, '');
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: '',
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    };
    const status = { capacity: allocatable, allocatable, conditions: [ready] };
    await client.patch(nodeKind, { name: 'n1' }, { type: 'merge', body: { status } }, { subresource: 'status' });
    const spec = { containers: [{ name: 'app', image: 'x', resources: { requests: { cpu: '1' } } }] };
    await client.create(podKind, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'default' },
      spec,
    } as Pod);
    await vi.waitFor(async () => {
      const pod = await client.get(podKind, { namespace: 'default', name: 'web' });
      expect(pod.spec.nodeName).toBe('n1');
    }, 15_000);
    const tooBig = { containers: [{ name: 'app', image: 'x', resources: { requests: { cpu: '8' } } }] };
    const metadata = { name: 'too-big', namespace: 'default' };
    await client.create(podKind, { apiVersion: 'v1', kind: 'Pod', metadata, spec: tooBig } as Pod);
    await vi.waitFor(async () => {
      const figures = samplesOf((await client.getRaw('/metrics', 'text/plain')).body);
      expect(figures.get('scheduler_schedule_attempts_total{result="scheduled"}')).toBe(1);
      expect(figures.get('scheduler_pending_pods{queue="unschedulable"}')).toBe(1);
      expect(figures.get('scheduler_scheduler_cache_size{type="nodes"}')).toBe(1);
      expect(figures.get('scheduler_scheduler_cache_size{type="pods"}')).toBe(1);
    }, 15_000);
    await client.close();
  });

  test('keeps objects, tokens, CA and revisions over a restart', async () => {
    const first = await start({ dataDir });
    const map = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kept', namespace: 'default' },
      data: { a: '1' },
    };
    const made = await first.client().create(configMapKind, map);
    await first.stop();
    running.splice(0);
    const second = await start({ dataDir });
    expect([second.adminToken, second.joinToken, second.caPem]).toEqual([
      first.adminToken,
      first.joinToken,
      first.caPem,
    ]);
    expect(await second.client().get(configMapKind, { namespace: 'default', name: 'kept' })).toEqual(made);
    const abort = new AbortController();
    const watch = second.client().watch(configMapKind, {
      resourceVersion: String(Number(made.metadata.resourceVersion) - 1),
      signal: abort.signal,
    });
    for await (const [event] of watch) {
      expect(event).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'kept' } } });
      break;
    }
    abort.abort();
  });

  test('refuses a data directory and a port that another one uses, in a sentence', async () => {
    const plane = await start({ dataDir });
    await expect(start({ dataDir })).rejects.toThrow('is in use: another server runs on this data directory');
    const port = Number(new URL(plane.url).port);
    await expect(start({ port })).rejects.toThrow(`port ${port} of 127.0.0.1 is in use`);
    expect((await plane.client().list(namespaceKind)).items.length).toBeGreaterThan(3);
  });

  test('warns loudly when it listens on more than loopback', async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) };
    const plane = await start({ host: '0.0.0.0', log });
    expect(warnings).toContainEqual(expect.stringContaining('not only on loopback'));
    expect(plane.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  });
});
