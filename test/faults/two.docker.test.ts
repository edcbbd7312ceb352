/** Two of everything: clusters, servers and agents that are started on the same folder, port or name, at once or one upon the other. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { podKind } from '#api/kinds/core.ts';
import { findRunning, readSettings } from '#cli/local/instance.ts';
import type { CommandResult } from '#setup/command.ts';
import { freePort, openPlace, type Place, textOf, until } from './berth.ts';
import { containersOf, openLedger, removeAllOf } from './engine-ledger.ts';
import { idlePod, running } from './pods.ts';
import { cgroupsOf, startSplitCluster } from './split-cluster.ts';

const upArgs = (data: string): readonly string[] => [
  'up',
  '--data',
  data,
  '--port',
  '0',
  '--node',
  't=cpu:1,memory:1Gi',
];

/** A place whose cluster in `data` is taken down at the end of the test, whatever became of it. */
const placeWithData = (): { place: Place; data: string } => {
  const place = openPlace();
  const data = join(place.folder, 'data');
  onTestFinished(async () => {
    await place.run(['down', '--data', data]);
    const id = readSettings(data)?.id;
    if (id !== undefined) await removeAllOf(id);
    await place.leave();
  });
  return { place, data };
};

/** What a command may end with that came second: success, or a sentence of one line. */
const expectSentence = ({ code, stderr, stdout }: CommandResult, sentence: RegExp): void => {
  if (code === 0) return;
  expect(code, stdout + stderr).toBe(1);
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toMatch(/\n\s+at /);
};

describe('berth up', () => {
  test('four times at once on one folder makes one cluster', async () => {
    const { place, data } = placeWithData();
    const said = await Promise.all([1, 2, 3, 4].map(() => place.run(upArgs(data))));
    const began = said.filter(({ stdout }) => stdout.includes(' is up: https://'));
    expect(began, said.map(({ stderr }) => stderr).join('')).toHaveLength(1);
    for (const each of said)
      expectSentence(each, /^error: a cluster (is just being started|runs) from .* \(process \d+\)\n$/);
    const note = findRunning(data)!;
    expect(began[0]!.stdout).toContain(note.url);
    const again = await place.run(upArgs(data));
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining(`Berth is up already: ${note.url}`) });
    const down = await place.run(['down', '--data', data]);
    expect(down).toMatchObject({ code: 0, stdout: expect.stringContaining('Berth is down') });
    expect(findRunning(data)).toBeUndefined();
  });

  test('and down at once, again and again, end in order and leave nothing', async () => {
    const { place, data } = placeWithData();
    for (let round = 0; round < 3; round++) {
      const [up, down] = await Promise.all([place.run(upArgs(data)), place.run(['down', '--data', data])]);
      expect(down.code, down.stderr).toBe(0);
      expectSentence(up, /^error: /);
      const second = await Promise.all([place.run(['down', '--data', data]), place.run(['down', '--data', data])]);
      for (const each of second) expect(each.code, each.stderr).toBe(0);
      expect(findRunning(data)).toBeUndefined();
    }
    const id = readSettings(data)?.id;
    if (id !== undefined) {
      expect(await containersOf(id)).toEqual([]);
      expect(cgroupsOf(id)).toEqual([]);
    }
    expect(readdirSync(data).filter(name => name.startsWith('running.json'))).toEqual([]);
  });
});

describe('berth server', () => {
  test('is refused on a folder or a port that another one has, and berth up on its folder too', async () => {
    const cluster = await startSplitCluster();
    onTestFinished(() => cluster.stop());
    const { place, serverData, url } = cluster;
    const { pid } = cluster.server();
    const port = new URL(url).port;
    const free = String(await freePort());
    const onFolder = await place.run(['server', '--data', serverData, '--port', free]);
    expect(onFolder).toMatchObject({ code: 1, stdout: '' });
    expect(onFolder.stderr).toBe(`error: a cluster runs from ${serverData} already (process ${pid})\n`);
    const onPort = await place.run(['server', '--data', join(place.folder, 'other'), '--port', port]);
    expect(onPort).toMatchObject({ code: 1, stdout: '' });
    expect(onPort.stderr).toBe(
      `error: port ${port} of 127.0.0.1 is in use: stop what listens there, or choose another port\n`,
    );
    const up = await place.run(upArgs(serverData));
    expect(up.code).toBe(1);
    expect(up.stderr).toMatch(
      /^error: `berth server` runs from .* \(process \d+\); give this cluster a --data folder of its own\.\n$/,
    );
    expect((await cluster.client.list(podKind)).items).toEqual([]);
  });
});

describe('berth agent', () => {
  test('with the name of a connected node is refused, and the first one goes on', { timeout: 120_000 }, async () => {
    const cluster = await startSplitCluster();
    onTestFinished(() => cluster.stop());
    const ledger = await openLedger(cluster.id);
    onTestFinished(() => ledger.close());
    cluster.startAgent('same=cpu:1,memory:1Gi');
    await cluster.ready('same', 'True');
    await until('it is linked', () => textOf(cluster.agent('same').log).includes('linked to the server'));
    const data = join(cluster.place.folder, 'second-agent');
    const second = cluster.startAgent('same=cpu:1,memory:1Gi', { log: 'second', data });
    await cluster.client.create(podKind, idlePod('only'));
    const before = await running(cluster.client, 'only');
    expect(await second.exited).toBe(1);
    expect(textOf(second.log)).toContain(
      'error: Error from server (Conflict): Operation cannot be fulfilled on nodes "same": another agent of this name is connected; stop it, or give this node another name\n'.slice(
        7,
      ),
    );
    expect(ledger.starts('default/only/app')).toEqual(['0']);
    expect(await running(cluster.client, 'only')).toEqual(before);
  });

  test('two of one name at once: one stays, the other ends with the reason', { timeout: 120_000 }, async () => {
    const cluster = await startSplitCluster();
    onTestFinished(() => cluster.stop());
    const ledger = await openLedger(cluster.id);
    onTestFinished(() => ledger.close());
    await cluster.client.create(podKind, idlePod('only'));
    const both = ['one', 'two'].map(log =>
      cluster.startAgent('same=cpu:1,memory:1Gi', { log, data: join(cluster.place.folder, log) }),
    );
    await Promise.race(both.map(({ exited }) => exited));
    const [ended, stays] = both[0]!.hasExited ? [both[0]!, both[1]!] : [both[1]!, both[0]!];
    expect(await ended.exited).toBe(1);
    expect(textOf(ended.log)).toContain('another agent of this name is connected');
    await running(cluster.client, 'only');
    expect(ledger.overlaps).toEqual([]);
    expect(stays.hasExited).toBe(false);
  });
});
