/** The real Machine: disk, cgroup tree, /proc and sockets of the host that the agent runs on. */
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { HostFacts, HttpGet, Machine } from '../machine.ts';
import type { EngineInfo } from '../runtime.ts';
import { type DirectoryOf, openUsage } from './cgroup-usage.ts';
import { openCgroups } from './cgroups.ts';
import { diskFiles } from './files.ts';
import { counterOf } from './kept-file.ts';

export interface MachineOptions {
  /** Default `/sys/fs/cgroup`. */
  readonly cgroupMount?: string;
  /** Default `/proc`; in a container a bind mount of the host's. */
  readonly proc?: string;
}

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
};

/**
 * The node's InternalIP, chosen as the kubelet does without --node-ip: the first IPv4 address of the interface that the
 * default route leaves by, which is the one that other machines reach. Without a default route the first address that is
 * neither the loopback's nor of a bridge that only containers see; without any the loopback's. `routes`: /proc/net/route.
 * An agent in a container of its own network names the address of that container.
 */
export const chooseAddress = (
  interfaces: Readonly<Record<string, readonly { family: string; internal: boolean; address: string }[] | undefined>>,
  routes: string,
): string => {
  const outside = Object.entries(interfaces).flatMap(([name, addresses]) =>
    (addresses ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal).map(a => ({ name, ...a })),
  );
  const wayOut = routes
    .split('\n')
    .map(line => line.split(/\s+/))
    .find(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')?.[0];
  const chosen =
    outside.find(({ name }) => name === wayOut) ??
    outside.find(({ name }) => !/^(docker|br-|veth|virbr|cni)/.test(name)) ??
    outside[0];
  return chosen?.address ?? '127.0.0.1';
};

const hostFacts = async (): Promise<HostFacts> => ({
  hostname: os.hostname(),
  address: chooseAddress(os.networkInterfaces(), textOf('/proc/net/route')),
  machineId: textOf('/etc/machine-id').trim(),
  bootId: textOf('/proc/sys/kernel/random/boot_id').trim(),
  systemUuid: textOf('/sys/class/dmi/id/product_uuid').trim(),
});

const nanosPerTick = 1e9 / 100;

/** CPU time in use of all CPUs, and memory that is neither free nor inactive file cache. */
const machineUsage = (proc: string): { cpuNanos: number; memoryWorkingSetBytes: number } | undefined => {
  const cpu = /^cpu +(.*)$/m
    .exec(textOf(path.join(proc, 'stat')))?.[1]
    ?.split(' ')
    .map(Number);
  const memory = textOf(path.join(proc, 'meminfo')).replaceAll(/:\s+/g, ' ');
  if (!cpu || memory === '') return undefined;
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = cpu;
  const kib = (key: string) => counterOf(memory, key) * 1024;
  return {
    cpuNanos: (user + nice + system + irq + softirq) * nanosPerTick,
    memoryWorkingSetBytes: Math.max(0, kib('MemTotal') - kib('MemFree') - kib('Inactive(file)')),
  };
};

interface CgroupPlace {
  readonly proc: string;
  readonly mount: string;
  readonly version: '1' | '2';
}

/** The cgroup directories of a process by controller; undefined when the process is not the container's. */
const cgroupsOfProcess = (place: CgroupPlace, pid: number, containerId: string): DirectoryOf | undefined => {
  if (pid === 0) return undefined;
  const { proc, mount, version } = place;
  const text = textOf(path.join(proc, String(pid), 'cgroup'));
  if (!text.includes(containerId)) return undefined;
  const lines = text.trim().split('\n');
  const found = new Map<string, string>();
  for (const line of lines) {
    const [, names = '', at = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const name of names === '' ? ['unified'] : names.split(',')) found.set(name, at);
  }
  return controller =>
    version === '2'
      ? path.join(mount, found.get('unified') ?? '-')
      : path.join(mount, controller, found.get(controller) ?? '-');
};

const groupOomKills = (place: CgroupPlace, pid: number, containerId: string): string | undefined => {
  if (place.version === '1') return undefined;
  const directory = cgroupsOfProcess(place, pid, containerId);
  if (!directory) return `process ${pid} is not in container ${containerId}`;
  try {
    writeFileSync(path.join(directory('memory'), 'memory.oom.group'), '1');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

/** Redirects within the same host that are followed, as Go's client does. */
const maxRedirects = 10;
const maxBodyBytes = 10 * 1024;

const httpGet = (request: HttpGet, redirects = 0): Promise<{ status: number; body: string; error?: string }> =>
  new Promise(resolve => {
    const { scheme, host, port, timeoutMs } = request;
    const url = `${scheme.toLowerCase()}://${host.includes(':') ? `[${host}]` : host}:${port}${request.path.startsWith('/') ? '' : '/'}${request.path}`;
    const fail = (cause: string) => resolve({ status: 0, body: '', error: `Get "${url}": ${cause}` });
    const headers: Record<string, string> = { 'User-Agent': 'kube-probe/1.35', Accept: '*/*', Connection: 'close' };
    for (const { name, value } of request.headers) headers[name] = value;
    const options = { headers, agent: false as const, rejectUnauthorized: false };
    const call = scheme === 'HTTPS' ? https.get(url, options) : http.get(url, options);
    const timer = setTimeout(() => {
      fail('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
      call.destroy();
    }, timeoutMs);
    call.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      fail(error.code === 'ECONNREFUSED' ? `dial tcp ${host}:${port}: connect: connection refused` : error.message);
    });
    call.on('response', answer => {
      const status = answer.statusCode ?? 0;
      const location = answer.headers.location;
      if (status >= 300 && status < 400 && location !== undefined && redirects < maxRedirects) {
        const next = new URL(location, url);
        clearTimeout(timer);
        answer.destroy();
        // Another host is not probed: the redirect itself counts as an answer.
        if (next.hostname !== host) return resolve({ status, body: '' });
        return resolve(
          httpGet({ ...request, port: Number(next.port) || port, path: next.pathname + next.search }, redirects + 1),
        );
      }
      let body = '';
      answer.setEncoding('latin1');
      answer.on('data', (chunk: string) => {
        if (body.length < maxBodyBytes) body += chunk;
      });
      answer.on('close', () => {
        clearTimeout(timer);
        resolve({ status, body: body.slice(0, maxBodyBytes) });
      });
    });
  });

const connect = (host: string, port: number, timeoutMs: number): Promise<string | undefined> =>
  new Promise(resolve => {
    const socket = net.connect({ host, port });
    const done = (fault: string | undefined) => {
      socket.destroy();
      resolve(fault);
    };
    socket.setTimeout(timeoutMs, () => done(`dial tcp ${host}:${port}: i/o timeout`));
    socket.on('connect', () => done(undefined));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      done(
        `dial tcp ${host}:${port}: ${error.code === 'ECONNREFUSED' ? 'connect: connection refused' : error.message}`,
      ),
    );
  });

export const hostMachine = (info: EngineInfo, options: MachineOptions = {}): Machine => {
  const mount = options.cgroupMount ?? '/sys/fs/cgroup';
  const proc = options.proc ?? '/proc';
  const place = { proc, mount, version: info.cgroupVersion };
  return {
    files: diskFiles,
    cgroups: openCgroups({ version: info.cgroupVersion, driver: info.cgroupDriver, mount }),
    facts: hostFacts,
    usage: () => machineUsage(proc),
    containerUsage: (pid, containerId) => {
      const directory = cgroupsOfProcess(place, pid, containerId);
      return directory && openUsage(place.version, directory);
    },
    groupOomKills: (pid, containerId) => groupOomKills(place, pid, containerId),
    httpGet,
    connect,
  };
};
