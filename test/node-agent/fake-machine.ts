/** A Machine without a host: files in memory, no cgroups, no network; for tests and simulation. */
import type { Files, Machine, VolumeFile } from '#agent/machine.ts';

export interface FakeMachine extends Machine {
  /** Files by path. */
  readonly disk: Map<string, string>;
  /** While set, every write fails with it. */
  diskFault: string | undefined;
  /** OOM kills that the counters of a container show, by its id; absent: they cannot be read. */
  readonly oomKills: Map<string, number>;
}

const noUsage = {
  atMs: 0,
  cpuNanos: 0,
  memoryUsageBytes: 0,
  memoryWorkingSetBytes: 0,
  throttling: { periods: 0, throttledPeriods: 0, throttledNanos: 0 },
  pids: 0,
};

export const fakeMachine = (): FakeMachine => {
  const disk = new Map<string, string>();
  const textOf = (file: VolumeFile): string =>
    'text' in file.content ? file.content.text : `base64:${file.content.base64}`;
  const below = (directory: string) => [...disk.keys()].filter(path => path.startsWith(`${directory}/`));
  const write = (path: string, text: string) => {
    if (machine.diskFault !== undefined) throw new Error(machine.diskFault);
    disk.set(path, text);
  };
  const files: Files = {
    makeDirectory: async path => write(`${path}/.`, ''),
    writeVolume: async (directory, content) => {
      const before = below(directory).length;
      for (const path of below(directory)) disk.delete(path);
      for (const file of content) write(`${directory}/${file.path}`, textOf(file));
      return before !== content.length;
    },
    writeFile: async (path, text) => write(path, text),
    readText: async (path, maxBytes) => (disk.get(path) ?? '').slice(0, maxBytes),
    prepareHostPath: async () => undefined,
    resolveInside: async (root, inside) => `${root}/${inside}`,
    remove: async path => {
      for (const each of [path, ...below(path)]) disk.delete(each);
    },
    list: async directory => [
      ...new Set(below(directory).map(path => path.slice(directory.length + 1).split('/')[0]!)),
    ],
    fileSystem: async () => ({ capacityBytes: 100 << 20, availableBytes: 90 << 20 }),
    decodeBase64: text => `decoded:${text}`,
    decodeText: bytes => String.fromCharCode(...bytes),
  };
  const machine: FakeMachine = {
    disk,
    diskFault: undefined,
    oomKills: new Map(),
    files,
    cgroups: {
      unwritable: 'no cgroups here',
      version: '2',
      parentOf: () => '',
      apply: async () => {},
      resetPeak: async () => {},
      evidence: async () => ({ kills: 0, limitHits: 0, peakBytes: 0 }),
      usage: () => undefined,
      remove: async () => {},
      prune: async () => {},
      children: async () => [],
    },
    facts: async () => ({ hostname: 'fake', address: '192.0.2.1', machineId: '', bootId: '', systemUuid: '' }),
    usage: () => undefined,
    containerUsage: (_pid, id) => {
      const oomKills = machine.oomKills.get(id);
      return oomKills === undefined ? undefined : { read: () => ({ ...noUsage, oomKills }), close: () => {} };
    },
    groupOomKills: () => undefined,
    httpGet: async () => ({ status: 200, body: '' }),
    connect: async () => undefined,
  };
  return machine;
};
