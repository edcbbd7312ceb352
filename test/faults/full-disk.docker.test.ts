/** Disks that are full: that of the store and the log, and that of the volumes. A small tmpfs plays the disk, so root is needed. */
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { configMapKind, eventKind, podKind } from '#api/kinds/core.ts';
import { findRunning, logFile, readSettings } from '#cli/local/instance.ts';
import { openLog } from '#cli/local/log.ts';
import { runCommand } from '#setup/command.ts';
import { openPlace, type Place, textOf, until } from './berth.ts';
import { openLedger, removeAllOf } from './engine-ledger.ts';
import { idlePod, running } from './pods.ts';
import { startSplitCluster } from './split-cluster.ts';

/** Why it cannot be done here, or undefined. */
const fault = process.getuid?.() === 0 ? undefined : 'only root may mount a tmpfs';

/** A disk of that size, gone at the end of the test. */
const mountDisk = async (place: Place, megabytes: number): Promise<string> => {
  const disk = join(place.folder, 'disk');
  mkdirSync(disk);
  const mounted = await runCommand('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', disk]);
  expect(mounted.stderr).toBe('');
  onTestFinished(async () => {
    await runCommand('umount', ['-l', disk]);
  });
  return disk;
};

/** Writes until nothing more goes on the disk; `free` gives the room back. */
const fill = (disk: string): { free(): void } => {
  const file = join(disk, 'filler');
  const descriptor = openSync(file, 'a');
  const block = Buffer.alloc(4096, 1);
  for (;;) {
    try {
      writeSync(descriptor, block);
    } catch {
      break;
    }
  }
  closeSync(descriptor);
  expect(statfsSync(disk).bavail).toBe(0);
  return { free: () => rmSync(file) };
};

const map = (name: string, bytes: number) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { a: 'x'.repeat(bytes) },
});

describe.skipIf(fault !== undefined)(`a full disk${fault === undefined ? '' : ` (${fault})`}`, () => {
  test('of the store and the log: writes fail and say why, reads and pods go on, room brings all back', async () => {
    const place = openPlace();
    onTestFinished(() => place.leave());
    const disk = await mountDisk(place, 8);
    const data = join(disk, 'data');
    const up = await place.run(['up', '--data', data, '--port', '0', '--node', 'd=cpu:1,memory:1Gi']);
    expect(up.code, up.stderr).toBe(0);
    onTestFinished(async () => {
      await place.run(['down', '--data', data]);
      await removeAllOf(readSettings(data)!.id);
    });
    const { pid } = findRunning(data)!;
    const client = await place.client(place.env['KUBECONFIG']!);
    await client.create(configMapKind, map('before', 100));
    await client.create(podKind, idlePod('witness'));
    const witness = await running(client, 'witness');

    const { free } = fill(disk);
    const refused = await place.run(['apply', '-f', '-'], { input: JSON.stringify(map('refused', 200_000)) });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `Error from server (ServiceUnavailable): error when creating "STDIN": the store cannot write: the disk of ${join(data, 'server', 'berth.db')} is full: nothing was written\n`,
    );
    // The agent's lease cannot be renewed either, which fills what room the log's last block still has.
    const before = statSync(logFile(data)).size;
    await until('the log is full', () => {
      const { size } = statSync(logFile(data));
      return size > before && size % 4096 === 0;
    });
    expect((await client.get(configMapKind, { namespace: 'default', name: 'before' })).data).toEqual({
      a: 'x'.repeat(100),
    });
    expect(await running(client, 'witness')).toEqual(witness);
    expect((await place.run(['get', 'pods'])).stdout).toMatch(/^NAME .*\nwitness +1\/1 +Running/);

    free();
    await client.create(configMapKind, map('after', 200_000));
    const names = (await client.list(configMapKind, { namespace: 'default' })).items.map(
      ({ metadata }) => metadata.name,
    );
    expect(names).toEqual(['after', 'before', 'kube-root-ca.crt']);
    expect(findRunning(data)!.pid).toBe(pid);

    // Nothing of it is forgotten by a server that starts anew.
    process.kill(pid, 'SIGKILL');
    await until('the process has ended', () => findRunning(data) === undefined);
    expect((await place.run(['up', '--data', data])).code).toBe(0);
    const again = await place.client(place.env['KUBECONFIG']!);
    const kept = (await again.list(configMapKind, { namespace: 'default' })).items.map(({ metadata }) => metadata.name);
    expect(kept).toEqual(names);
    expect(await running(again, 'witness')).toEqual(witness);
  });

  test('of the log: lines are lost, and the next one that has room says how many', async () => {
    const place = openPlace();
    onTestFinished(() => place.leave());
    const disk = await mountDisk(place, 1);
    const file = join(disk, 'some.log');
    const log = openLog(file, 'info');
    const { free } = fill(disk);
    for (let i = 0; i < 3; i++) log.info({ i }, 'lost');
    free();
    log.info({}, 'kept');
    const lines = textOf(file)
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as { msg: string; lines?: number });
    expect(lines.map(({ msg, lines: count }) => [msg, count])).toEqual([
      ['lines of this log could not be written and are lost', 3],
      ['kept', undefined],
    ]);
  });

  test('of the volumes: the pod waits with an event that says why, and runs when there is room', async () => {
    const cluster = await startSplitCluster();
    onTestFinished(() => cluster.stop());
    const ledger = await openLedger(cluster.id);
    onTestFinished(() => ledger.close());
    const { client, place } = cluster;
    const disk = await mountDisk(place, 4);
    cluster.startAgent('v=cpu:1,memory:1Gi', { data: join(disk, 'agent') });
    await cluster.ready('v', 'True');
    await client.create(configMapKind, map('large', 200_000));
    const { free } = fill(disk);
    const volume = { volumes: [{ name: 'files', configMap: { name: 'large' } }] };
    const mount = { volumeMounts: [{ name: 'files', mountPath: '/files' }] };
    await client.create(podKind, idlePod('hungry', mount, { ...volume, nodeName: 'v' }));
    const event = await until('the event tells it', async () => {
      const { items } = await client.list(eventKind, { namespace: 'default' });
      return items.find(({ reason, involvedObject }) => reason === 'FailedMount' && involvedObject?.name === 'hungry');
    });
    expect(event.message).toMatch(/^MountVolume\.SetUp failed for volume "files" : .*no space left on device/);
    free();
    await running(client, 'hungry');
    expect(ledger.starts('default/hungry/app')).toEqual(['0']);
  });
});
