/**
 * The runtime contract and the agent on the newest packaged Docker Engine, beside the machine's own. It refuses API versions
 * below 1.44, as Engine 29 does, has no bridge of its own, and pods are on a network by name.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DockerRuntime } from '#agent/docker/engine.ts';
import { whichCommand } from '#setup/command.ts';
import { engineJson } from '#setup/engine-api.ts';
import { dockerFault, startHarness } from '#test/node-agent/harness.ts';
import { runtimeContract } from '#test/node-agent/runtime-contract.ts';
import { importTestImage, testImage, testImageFiles } from '#test/node-agent/test-image.ts';
import { type Check, cleanUpCheck, commonChecks, share, statusOf, type World } from './checks.ts';
import { type Dockerd, startDockerd } from './dockerd.ts';
import { newestEngine } from './packages.ts';

const leastApi = '1.44';

/** Where its programs are, or why it cannot run here. */
const found = await (async (): Promise<{ programs: string } | { fault: string }> => {
  if (process.getuid?.() !== 0) return { fault: 'not root' };
  if (dockerFault !== undefined) return { fault: dockerFault };
  if ((await whichCommand('runc')) === undefined) return { fault: 'this machine has no runc' };
  return newestEngine().then(
    programs => ({ programs }),
    (error: Error) => ({ fault: error.message }),
  );
})();
if ('fault' in found) console.log(`no second Docker Engine is tested: ${found.fault}`);

/** Engine 29 keeps images in containerd's store unless it was there before. */
const stores: readonly { readonly store: string; readonly features: Readonly<Record<string, boolean>> }[] = [
  { store: 'its own', features: {} },
  { store: "containerd's", features: { 'containerd-snapshotter': true } },
];

describe.skipIf('fault' in found).each(stores)('the newest packaged Docker Engine, images in $store store', variant => {
  let engine: Dockerd;
  let world: World;
  beforeAll(async () => {
    const programs = 'programs' in found ? found.programs : '';
    const folder = mkdtempSync(join(tmpdir(), 'berth-e-'));
    const { features } = variant;
    engine = await startDockerd({ folder, programs, leastApi, features, cgroupParent: `/berth-engine-${process.pid}` });
    await engineJson(engine.api, 'POST', '/networks/create', { Name: 'pods', Driver: 'bridge' });
    await importTestImage(engine.socket, await testImageFiles());
  });
  afterAll(async () => {
    await engine.api.call('DELETE', '/networks/pods');
    await engine.stop();
  });

  describe('as a runtime', () => {
    const labels = { 'berth.dev/suite': `newest-${process.pid}` };
    const command = { waits: ['sleep', '100'], 'exits 3': ['sh', '-c', 'exit 3'] };
    const host = { NetworkMode: 'none' };
    const base = { image: testImage, labels, env: [], tty: false, stdin: false, stdinOnce: false, host };
    runtimeContract(
      () => ({
        runtime: new DockerRuntime(engine.socket),
        spec: (name, how) => ({ ...base, name: `berth-${name}`, command: command[how] }),
        pause: () => new Promise(resolve => setTimeout(resolve, 10)),
      }),
      labels,
    );

    test('is a version of its own, and is spoken to in its own API version', async () => {
      const info = await new DockerRuntime(engine.socket).info();
      expect(info).toMatchObject({ serverVersion: engine.version, apiVersion: engine.apiVersion });
      expect(Number(info.apiVersion.split('.')[1])).toBeGreaterThanOrEqual(44);
      expect((await engine.api.call('GET', '/v1.43/version')).status).toBe(400);
    });

    test('keeps images in that store', async () => {
      const { DriverStatus: status } = await engineJson<{ DriverStatus: readonly (readonly string[])[] }>(
        engine.api,
        'GET',
        '/info',
      );
      const isContainerd = status.some(([, value]) => value?.startsWith('io.containerd.snapshotter') === true);
      expect(isContainerd).toBe(variant.features['containerd-snapshotter'] === true);
    });

    test('its images have an id, names, and a size', async () => {
      const runtime = new DockerRuntime(engine.socket);
      const image = (await runtime.image(testImage))!;
      expect(image).toMatchObject({ id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), tags: [testImage] });
      expect(image.sizeBytes).toBeGreaterThan(1 << 20);
      expect((await runtime.images()).map(({ id, tags }) => ({ id, tags }))).toContainEqual({
        id: image.id,
        tags: [testImage],
      });
    });
  });

  describe('with an agent', () => {
    beforeAll(async () => {
      world = { harness: await startHarness({ network: 'pods', share }, engine.socket) };
    });
    const [runs, ...others] = commonChecks;
    const testOf = ({ name, run }: Check) =>
      test(name, async () => {
        await run(world);
      });
    testOf(runs!);

    test('pods have addresses of the network', async () => {
      const { Containers: containers } = await engineJson<{
        Containers: Record<string, { Name: string; IPv4Address: string }>;
      }>(engine.api, 'GET', '/networks/pods');
      const [address] = Object.values(containers).map(each => each.IPv4Address.split('/')[0]);
      expect(statusOf(world, 'limits')!.podIP).toBe(address);
    });

    test('a network that the engine does not have is named', async () => {
      await expect(world.harness.restart({ network: 'bridge' })).rejects.toThrow(
        'the Docker Engine has no network "bridge"',
      );
      await world.harness.restart();
    });

    for (const check of [...others, cleanUpCheck]) testOf(check);
  });
});
