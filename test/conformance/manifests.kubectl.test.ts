/** Every file of manifests/ is applied with stock kubectl to three slices of the engine, and does what its comment says. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestCluster, type TestCluster, waitFor } from './cluster.ts';

const folder = join(import.meta.dirname, '..', '..', 'manifests');
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startTestCluster(['m-a=cpu:1,memory:1Gi', 'm-b=cpu:500m,memory:512Mi', 'm-c=cpu:500m,memory:512Mi']);
});

afterAll(async () => {
  await cluster?.stop();
});

const field = async (pod: string, path: string): Promise<string> =>
  (await cluster.kubectl(['get', 'pod', pod, '-o', `jsonpath=${path}`])).stdout;

/** Waits for what a pod's field is to be. */
const becomes = async (pod: string, path: string, wanted: RegExp, seconds = 60): Promise<void> => {
  const complaint = await waitFor(seconds, async () => {
    const value = await field(pod, path);
    return wanted.test(value) ? undefined : `${pod} ${path}: ${value}`;
  });
  expect(complaint).toBeUndefined();
};

const phase = '{.status.phase}';
const lastEnd = '{.status.containerStatuses[0].lastState.terminated.reason}';
const ready = '{.status.conditions[?(@.type=="Ready")].status}';

/** What each file shows. */
const shows: Record<string, () => Promise<void>> = {
  'web.yaml': () => becomes('web', ready, /^True$/),
  'too-big.yaml': async () => {
    await becomes(
      'too-big',
      '{.status.conditions[?(@.type=="PodScheduled")].message}',
      /^0\/3 nodes are available: 3 Insufficient cpu\./,
    );
    await becomes('too-big', phase, /^Pending$/);
  },
  'oom.yaml': async () => {
    await becomes('oom', lastEnd, /^OOMKilled$/);
    await becomes('oom', '{.status.containerStatuses[0].restartCount}', /^[1-9]/);
  },
  'throttle.yaml': () => becomes('throttle', ready, /^True$/),
  'share.yaml': async () => {
    await becomes('share', ready, /^True$/);
    expect(await field('share', '{.spec.nodeName}')).toBe('m-a');
  },
  'qos.yaml': async () => {
    for (const [name, qos] of [
      ['guaranteed', 'Guaranteed'],
      ['burstable', 'Burstable'],
      ['besteffort', 'BestEffort'],
    ]) {
      await becomes(`qos-${name}`, ready, /^True$/);
      expect(await field(`qos-${name}`, '{.status.qosClass}')).toBe(qos);
    }
  },
  'placement.yaml': async () => {
    for (const name of ['rather-not-on-ssd', 'tolerates-batch']) await becomes(name, ready, /^True$/);
    await becomes('on-ssd', phase, /^Pending$/);
    await cluster.kubectl(['label', 'node', 'm-c', 'disktype=ssd']);
    await becomes('on-ssd', ready, /^True$/);
    expect(await field('on-ssd', '{.spec.nodeName}')).toBe('m-c');
  },
  'config.yaml': async () => {
    await becomes('config', ready, /^True$/);
    const logged = (await cluster.kubectl(['logs', 'config'])).stdout;
    const node = await field('config', '{.spec.nodeName}');
    expect(logged).toBe(
      `language=en password has 14 characters\nconfig runs on ${node} and may use 33554432 bytes\nHello from a ConfigMap\n`,
    );
  },
  'init-and-sidecar.yaml': async () => {
    await becomes('init-and-sidecar', ready, /^True$/);
    const logs = ['logs', 'init-and-sidecar', '-c', 'reader'];
    const complaint = await waitFor(30, async () => {
      const { stdout } = await cluster.kubectl(logs);
      return /^prepared at .*\nit is /.test(stdout) ? undefined : stdout;
    });
    expect(complaint).toBeUndefined();
  },
};

describe('manifests/', () => {
  const files = readdirSync(folder).filter(name => name.endsWith('.yaml'));

  test('every file has its check here', () => {
    expect(Object.keys(shows).sort()).toEqual(files.sort());
  });

  test.each(files)('%s', async file => {
    const applied = await cluster.kubectl(['apply', '-f', join(folder, file)]);
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    await shows[file]!();
    expect(await cluster.kubectl(['delete', '-f', join(folder, file), '--timeout=60s'])).toMatchObject({ code: 0 });
  });
});
