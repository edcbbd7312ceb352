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
import { dockerFault, ensureTestImage, startHarness, testImage } from '#test/node-agent/harness.ts';
import { runtimeContract } from '#test/node-agent/runtime-contract.ts';
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

describe.skipIf('fault' in found)('the newest packaged Docker Engine', () => {
  let engine: Dockerd;
  let world: World;
  beforeAll(async () => {
    const programs = 'programs' in found ? found.programs : '';
    const folder = mkdtempSync(join(tmpdir(), 'berth-e-'));
    engine = await startDockerd({ folder, programs, leastApi, cgroupParent: `/berth-engine-${process.pid}` });
    await engineJson(engine.api, 'POST', '/networks/create', { Name: 'pods', Driver: 'bridge' });
    await ensureTestImage(engine.socket);
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

    for (const check of [...others, cleanUpCheck]) testOf(check);
  });
});
