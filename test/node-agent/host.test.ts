/** The agent's shell: volume files on disk, the engine's streams, engine addresses and answers. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toContainer, toSample } from '#agent/docker/answers.ts';
import { negotiate, parseAddress } from '#agent/docker/connection.ts';
import { Demultiplexer } from '#agent/docker/streams.ts';
import { sliceName, weightOf } from '#agent/host/cgroups.ts';
import { diskFiles } from '#agent/host/files.ts';
import { counterOf } from '#agent/host/kept-file.ts';
import { chooseAddress } from '#agent/host/machine.ts';

describe('a volume of files', () => {
  let root = '';
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(tmpdir(), 'berth-files-'));
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));
  const file = (name: string, text: string, mode = 0o644) => ({ path: name, content: { text }, mode });
  const at = (...parts: string[]) => path.join(root, 'v', ...parts);

  test('shows its files, replaces them all at once, and forgets those that went', async () => {
    expect(await diskFiles.writeVolume(at(), [file('a', '1'), file('d/b', '2', 0o400)])).toBe(true);
    expect(fs.readFileSync(at('a'), 'utf8') + fs.readFileSync(at('d/b'), 'utf8')).toBe('12');
    expect(fs.statSync(at('d/b')).mode & 0o777).toBe(0o400);
    expect(await diskFiles.writeVolume(at(), [file('a', '1'), file('d/b', '2', 0o400)])).toBe(false);
    const open = fs.readlinkSync(at('..data'));
    expect(await diskFiles.writeVolume(at(), [file('c', '3')])).toBe(true);
    expect(fs.readdirSync(at()).filter(name => !name.startsWith('..'))).toEqual(['c']);
    expect(fs.readlinkSync(at('..data'))).not.toBe(open);
    expect(fs.existsSync(at(open))).toBe(false);
  });
  test('holds bytes as they are', async () => {
    await diskFiles.writeVolume(at(), [{ path: 'b', content: { base64: '/wAB' }, mode: 0o600 }]);
    expect(fs.readFileSync(at('b'))).toEqual(Buffer.of(255, 0, 1));
  });
  test.each(['../x', '/x', 'a/../../x', '..data', ''])('refuses the path %j', async name => {
    await expect(diskFiles.writeVolume(at(), [file(name, '')])).rejects.toThrow('invalid path');
  });
  test('a subPath cannot lead out of its volume, not even by a link', async () => {
    fs.mkdirSync(at('in'), { recursive: true });
    fs.symlinkSync('/etc', at('in/out'));
    await expect(diskFiles.resolveInside(at(), 'in/out', { create: false })).rejects.toThrow('leads out of its volume');
    expect(await diskFiles.resolveInside(at(), 'new/deep', { create: true })).toBe(at('new/deep'));
    await expect(diskFiles.resolveInside(at(), '../x', { create: true })).rejects.toThrow('invalid path');
  });
  test('a hostPath is checked for its type', async () => {
    fs.writeFileSync(path.join(root, 'f'), '');
    expect(await diskFiles.prepareHostPath(path.join(root, 'f'), 'Directory')).toBe(
      `hostPath type check failed: ${root}/f is not a directory`,
    );
    expect(await diskFiles.prepareHostPath(path.join(root, 'f'), 'File')).toBeUndefined();
    expect(await diskFiles.prepareHostPath(path.join(root, 'none'), 'Socket')).toBe(
      `hostPath type check failed: ${root}/none is not a socket file`,
    );
    expect(await diskFiles.prepareHostPath(path.join(root, 'made'), 'DirectoryOrCreate')).toBeUndefined();
    expect(fs.statSync(path.join(root, 'made')).isDirectory()).toBe(true);
  });
});

test('frames of the engine come out whole however they are cut', () => {
  const frame = (stream: number, text: string) => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(1, 2), fc.string({ maxLength: 30 })), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 40 }),
      (parts, cuts) => {
        const bytes = Buffer.concat(parts.map(([stream, text]) => frame(stream, text)));
        const demultiplexer = new Demultiplexer();
        const out = { stdout: '', stderr: '' };
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + cuts[i % cuts.length]!;
          for (const chunk of demultiplexer.push(bytes.subarray(at, end)))
            out[chunk.stream] += Buffer.from(chunk.bytes).toString('latin1');
          at = end;
        }
        const wanted = (stream: number) =>
          Buffer.from(
            parts
              .filter(([each]) => each === stream)
              .map(([, text]) => text)
              .join(''),
          ).toString('latin1');
        expect(out).toEqual({ stdout: wanted(1), stderr: wanted(2) });
      },
    ),
  );
});

test('engine addresses', () => {
  expect(parseAddress('unix:///a/b.sock')).toEqual({ socketPath: '/a/b.sock' });
  expect(parseAddress('/a/b.sock')).toEqual({ socketPath: '/a/b.sock' });
  expect(parseAddress('tcp://127.0.0.1:2375')).toEqual({ host: '127.0.0.1', port: 2375 });
  expect(() => parseAddress('ssh://x')).toThrow('want unix:///path/to/docker.sock or tcp://host:port');
});

test('the API version is the newest that both sides know', () => {
  expect(negotiate('1.41', '1.12')).toBe('1.41');
  expect(negotiate('1.56', '1.44')).toBe('1.52');
  expect(() => negotiate('1.40', '1.12')).toThrow('needs 1.41 or newer');
  expect(() => negotiate('1.90', '1.60')).toThrow('wants API 1.60 or newer');
});

test('an inspected container is read without the fields that API 1.52 dropped', () => {
  const seen = toContainer({
    Id: 'i',
    Name: '/n',
    Created: '2026-01-01T00:00:00.5Z',
    Image: 'sha256:x',
    State: {
      Status: 'exited',
      Pid: 0,
      ExitCode: 3,
      OOMKilled: true,
      Error: '',
      StartedAt: '0001-01-01T00:00:00Z',
      FinishedAt: '2026-01-01T00:00:01Z',
    },
    Config: { Image: 'a:1', Labels: null },
    NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.2' } } },
  });
  expect(seen).toMatchObject({
    name: 'n',
    phase: 'exited',
    exitCode: 3,
    oomKilled: true,
    startedAtMs: 0,
    ip: '172.17.0.2',
    stopSignal: 'SIGTERM',
    labels: {},
  });
  expect(seen.createdAtMs).toBe(Date.UTC(2026, 0, 1) + 500);
});

test('stats are read from cgroup v1 and v2 bodies, and a zero body is none', () => {
  const body = (stats: Record<string, number>) => ({
    read: '2026-01-01T00:00:00Z',
    cpu_stats: { cpu_usage: { total_usage: 7 } },
    memory_stats: { usage: 100, stats },
  });
  expect(toSample(body({ total_inactive_file: 30, inactive_file: 5 }))!.memoryWorkingSetBytes).toBe(70);
  expect(toSample(body({ inactive_file: 130 }))!.memoryWorkingSetBytes).toBe(0);
  expect(toSample({ ...body({}), read: '0001-01-01T00:00:00Z' })).toBeUndefined();
  // Of a container that ends at this moment, Engine 20.10.
  expect(toSample({ read: '2026-01-01T00:00:00Z' })).toBeUndefined();
});

test('names and numbers of the cgroup tree', () => {
  expect(sliceName(['c-1', 'node.a', 'u/d'])).toBe('berth-c_1-node.a-u_d.slice');
  expect([2, 102, 512, 1024, 2048, 262_144].map(weightOf)).toEqual([1, 4, 20, 39, 79, 10_000]);
  expect(counterOf('a 1\nab 2\nb 3\n', 'b')).toBe(3);
  expect(counterOf('a 1\n', 'x')).toBe(0);
});

describe('the address of a node', () => {
  const at = (address: string, family = 'IPv4') => ({ address, family, internal: address.startsWith('127.') });
  const interfaces = {
    lo: [at('127.0.0.1')],
    docker0: [at('172.17.0.1')],
    eth0: [at('fe80::1', 'IPv6'), at('192.0.2.2')],
    eth1: [at('198.51.100.3')],
  };
  const route = (name: string, destination: string, mask: string) =>
    `${name}\t${destination}\t010200C0\t0003\t0\t0\t0\t${mask}\t0\t0\t0`;
  const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';

  test('is that of the interface which the default route leaves by', () => {
    const routes = [head, route('eth0', '000200C0', '00FFFFFF'), route('eth1', '00000000', '00000000')].join('\n');
    expect(chooseAddress(interfaces, routes)).toBe('198.51.100.3');
  });
  test('is one that others can reach where there is no default route', () => {
    expect(chooseAddress(interfaces, head)).toBe('192.0.2.2');
    expect(chooseAddress({ docker0: interfaces.docker0 }, '')).toBe('172.17.0.1');
    expect(chooseAddress({ lo: interfaces.lo }, '')).toBe('127.0.0.1');
  });
});
