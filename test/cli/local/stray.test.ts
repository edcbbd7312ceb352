/** Processes found by their command lines, and what a purge deletes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { purge } from '#cli/local/purge.ts';
import { findProcesses, lostItsFolder } from '#cli/local/stray.ts';

let folder = '';
const started: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-stray-'));
  for (const name of ['bin.js', 'berth', 'other.js'])
    writeFileSync(join(folder, name), 'console.log("on"); setInterval(() => {}, 1000);');
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** A process with these words, once it runs. */
const run = async (program: string, words: readonly string[], env: Record<string, string> = {}): Promise<number> => {
  const child = spawn(process.execPath, [join(folder, program), ...words], { cwd: folder, env, stdio: 'pipe' });
  started.push(child);
  await new Promise(resolve => child.stdout.once('data', resolve));
  return child.pid!;
};
const found = (name = 'data') => findProcesses(join(folder, name)).map(({ pid }) => pid);

describe('a process that serves a data folder is found', () => {
  test.each([
    ['bin.js', ['up', '--foreground', '--data', 'data'], {}],
    ['berth', ['up', '--foreground', '--data=data'], {}],
    ['bin.js', ['server', '--port', '0', '--data', './data/'], {}],
    ['bin.js', ['server'], { BERTH_DATA: 'data' }],
  ])('%s %o', async (program, words, env) => {
    const pid = await run(program, words, env as Record<string, string>);
    expect(found()).toEqual([pid]);
    expect(found('other')).toEqual([]);
  });

  test('by its home when nothing else is said', async () => {
    const pid = await run('bin.js', ['server'], { HOME: folder });
    expect(found('.local/share/berth')).toEqual([pid]);
  });
});

test.each([
  ['other.js', ['up', '--foreground', '--data', 'data']],
  ['bin.js', ['up', '--data', 'data']],
  ['bin.js', ['get', 'pods', '--data', 'data']],
  ['bin.js', ['agent', '--data', 'data']],
  ['bin.js', ['up', '--foreground', '--data', 'data2']],
])('%s %o is none', async (program, words) => {
  await run(program, words);
  expect(found()).toEqual([]);
});

test('another program with our words behind it is none', async () => {
  const child = spawn('tail', ['-f', join(folder, 'bin.js'), '--', join(folder, 'bin.js')], {
    cwd: folder,
    stdio: 'pipe',
  });
  started.push(child);
  await new Promise(resolve => child.stdout.once('data', resolve));
  expect(found()).toEqual([]);
});

test('it lost its folder when files that it holds there were deleted, and not while it is only starting', async () => {
  const data = join(folder, 'data');
  mkdirSync(data);
  const held = join(data, 'held');
  writeFileSync(held, '');
  writeFileSync(
    join(folder, 'bin.js'),
    `require('fs').openSync(${JSON.stringify(held)}); console.log('on'); setInterval(() => {}, 1000);`,
  );
  const pid = await run('bin.js', ['server', '--data', 'data']);
  expect(found()).toEqual([pid]);
  expect(lostItsFolder(pid, data)).toBe(false);
  rmSync(data, { recursive: true });
  expect(lostItsFolder(pid, data)).toBe(true);
  expect(lostItsFolder(pid, join(folder, 'other'))).toBe(false);
});

describe('a purge', () => {
  test('deletes what is Berth’s, and a folder that has nothing else', () => {
    const data = join(folder, 'data');
    mkdirSync(join(data, 'server'), { recursive: true });
    for (const file of ['cluster.json', 'running.json', 'running.json.12.dead', 'berth.log', 'server/store.db'])
      writeFileSync(join(data, file), '');
    expect(purge(data)).toEqual([]);
    expect(readdirSync(folder)).not.toContain('data');
    expect(purge(data)).toEqual([]);
  });

  test('leaves everything else where it is', () => {
    for (const name of ['cluster.json', 'package.json', 'nodes.txt']) writeFileSync(join(folder, name), '');
    expect([...purge(folder)].sort()).toEqual(['berth', 'bin.js', 'nodes.txt', 'other.js', 'package.json']);
    expect(readdirSync(folder)).toHaveLength(5);
  });
});
