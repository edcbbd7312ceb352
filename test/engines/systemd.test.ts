/**
 * The systemd cgroup driver, as far as it can be judged without systemd: names of slices, where they are, and what systemctl
 * is told. That systemd takes it so was not tried here (docs/ENGINES.md).
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { podCgroupLimits, shareLimits } from '#agent/container/cgroup-plan.ts';
import { childOfSlice, openCgroups, sliceCommands, sliceName, slicePath } from '#agent/host/cgroups.ts';
import { container, pod } from '#test/node-agent/pod-fixtures.ts';

const uid = '0b5a8f4e-3f6f-4c43-9d27-1f5b6f0a9b11';
const path = ['1a2b3c4d', 'node-a.example', uid];
const slice = 'berth-1a2b3c4d-node_a.example-0b5a8f4e_3f6f_4c43_9d27_1f5b6f0a9b11.slice';

test('each dash of a slice nests it in the one before: parts of a path have none', () => {
  expect(sliceName(path)).toBe(slice);
  expect(slicePath(path)).toBe(`berth.slice/berth-1a2b3c4d.slice/berth-1a2b3c4d-node_a.example.slice/${slice}`);
  for (const name of slicePath(path).split('/')) expect(name).toMatch(/^[A-Za-z0-9:_.]+(-[A-Za-z0-9:_.]+)*\.slice$/);
  expect(slicePath([])).toBe('berth.slice');
});

test('two nodes never share a slice, nor does one lie in the other', () => {
  const names = ['a', 'a-b', 'a.b', 'ab', 'a-b-c'].map(node => sliceName(['c', node]));
  expect(new Set(names).size).toBe(names.length);
  for (const name of names)
    for (const other of names) expect(other.startsWith(name.replace('.slice', '-'))).toBe(false);
});

test('a slice right below another is told from the rest, and read back as the uid that it is of', () => {
  expect(childOfSlice(path.slice(0, 2), slice)).toEqual([uid]);
  for (const other of ['docker-0123.scope', 'berth-1a2b3c4d-node_b-x.slice', 'system.slice'])
    expect(childOfSlice(path.slice(0, 2), other)).toEqual([]);
});

test('the pods of a node are found by their slices', async () => {
  const mount = mkdtempSync(join(tmpdir(), 'berth-slices-'));
  try {
    mkdirSync(join(mount, slicePath(path)), { recursive: true });
    mkdirSync(join(mount, slicePath(path.slice(0, 2)), 'docker-0123.scope'));
    const groups = openCgroups({ version: '2', driver: 'systemd', mount });
    expect(await groups.children(path.slice(0, 2))).toEqual([uid]);
    expect(groups.parentOf(path)).toBe(slice);
  } finally {
    rmSync(mount, { recursive: true, force: true });
  }
});

test('limits become properties, until the next boot, and the slice is started so that it is there', () => {
  expect(sliceCommands(path, shareLimits({ cpuMilli: 123, memoryBytes: 1 << 30 }))).toEqual([
    ['set-property', '--runtime', slice, 'CPUQuota=12.3%', 'MemoryMax=1073741824', 'MemorySwapMax=0', 'CPUWeight=5'],
    ['start', slice],
  ]);
});

test('what is not limited is lifted; pods do not swap, whatever they may use', () => {
  expect(sliceCommands(['c', 'n'], shareLimits({}))[0]!.slice(3)).toEqual([
    'CPUQuota=',
    'MemoryMax=infinity',
    'MemorySwapMax=infinity',
  ]);
  const bestEffort = pod({ containers: [container('app')] });
  expect(sliceCommands(path, podCgroupLimits(bestEffort, undefined))[0]!.slice(3)).toEqual([
    'CPUQuota=',
    'MemoryMax=infinity',
    'MemorySwapMax=0',
    'CPUWeight=1',
  ]);
});
