import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claim, findRunning, isAlive, makeFolder, startTicks } from '#cli/local/instance.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'berth-instance-'));
const facts = {
  startedAt: 't',
  version: 'v',
  url: 'https://x',
  context: 'c',
  kubeconfig: 'k',
  nodes: ['a'],
  join: 'w',
};

test('a note is found while its process runs and gone after release', () => {
  const data = folder();
  const place = claim(data);
  place.note(facts);
  expect(findRunning(data)).toMatchObject({ pid: process.pid, url: 'https://x' });
  place.release();
  expect(findRunning(data)).toBeUndefined();
});

test('a process id that belongs to another program by now is not taken for ours', () => {
  const data = folder();
  claim(data).note(facts);
  const file = join(data, 'running.json');
  const note = JSON.parse(readFileSync(file, 'utf8'));
  expect(note.startedTicks).toBeGreaterThan(0);
  writeFileSync(file, JSON.stringify({ ...note, startedTicks: note.startedTicks - 1 }));
  expect(findRunning(data)).toBeUndefined();
  claim(data).release();
});

test('the note of a process that was killed is taken away', async () => {
  const child = spawn('sleep', ['60']);
  const data = folder();
  const identity = { pid: child.pid!, startedTicks: startTicks(child.pid!)! };
  writeFileSync(join(data, 'running.json'), JSON.stringify({ ...facts, ...identity }));
  expect(findRunning(data)).toMatchObject({ pid: child.pid });
  expect(() => claim(data)).toThrow(`a cluster runs from ${data} already (process ${child.pid})`);
  const ended = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  expect(isAlive(identity)).toBe(false);
  claim(data).release();
});

test.each([
  { startedTicks: 0 },
  { pid: 0, startedTicks: 1 },
  { pid: -1, startedTicks: 1 },
  { pid: 1, startedTicks: 0 },
])('a note that does not say which process it is about (%o) counts as none', identity => {
  const data = folder();
  writeFileSync(join(data, 'running.json'), JSON.stringify({ ...facts, pid: process.pid, ...identity }));
  expect(findRunning(data)).toBeUndefined();
});

test('a note says when its process has begun to end', () => {
  const data = folder();
  const place = claim(data);
  place.note(facts);
  expect(findRunning(data)?.stopping).toBeUndefined();
  place.stopping();
  expect(findRunning(data)).toMatchObject({ url: 'https://x', stopping: true });
  place.release();
});

test('folders are made with their parents, and what keeps that from being done is said', () => {
  const made = join(folder(), 'a', 'b');
  makeFolder(made);
  makeFolder(made);
  expect(readdirSync(made)).toEqual([]);
  writeFileSync(join(made, 'file'), '');
  expect(() => makeFolder(join(made, 'file'))).toThrow('EEXIST');
  expect(() => makeFolder(join(made, 'file', 'c'))).toThrow('ENOTDIR');
  // Node's own way of making folders with their parents does not come back from here.
  expect(() => makeFolder('/proc/berth/data')).toThrow('ENOENT');
  expect(findRunning(join(made, 'file'))).toBeUndefined();
});

test('a note that a crash left empty counts as none', () => {
  const data = folder();
  writeFileSync(join(data, 'running.json'), '');
  expect(findRunning(data)).toBeUndefined();
});
