/**
 * The server's own certificate authority and certificate (EC P-256), kept in the data directory with mode 0600, reused at
 * the next start and renewed before they end. Clients trust only this CA.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { writePrivate } from './private-file.ts';

export interface ServerTls {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

export interface TlsOptions {
  /** Absent: nothing is kept. */
  readonly dataDir?: string | undefined;
  /** Names and addresses that clients reach the server by, besides loopback. */
  readonly hosts: readonly string[];
  readonly nowMs: number;
}

const dayMs = 24 * 60 * 60_000;
const caDays = 3650;
const leafDays = 365;
/** Renewed at a start that has less than this left. */
const renewDays = 60;

export const ensureTls = async ({ dataDir, hosts, nowMs }: TlsOptions): Promise<ServerTls> => {
  const kept = dataDir === undefined ? undefined : readPair(dataDir, 'ca');
  const ca = kept !== undefined && isFresh(kept, nowMs) ? kept : await makeCa(nowMs);
  const names = [...new Set(['localhost', 'kubernetes.default.svc', '127.0.0.1', '::1', ...hosts])].sort();
  const old = dataDir === undefined ? undefined : readPair(dataDir, 'server');
  const leaf =
    old !== undefined && ca === kept && isFresh(old, nowMs) && covers(old, ca, names)
      ? old
      : await makeLeaf(ca, names, nowMs);
  if (dataDir !== undefined) {
    if (ca !== kept) writePair(dataDir, 'ca', ca);
    if (leaf !== old) writePair(dataDir, 'server', leaf);
  }
  return { caPem: ca.certPem, certPem: leaf.certPem, keyPem: leaf.keyPem };
};

/** The addresses of this machine, for a server that listens on more than loopback. */
export const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap(addresses =>
    (addresses ?? []).filter(({ address }) => !address.startsWith('fe80')).map(({ address }) => address),
  );

interface Pair {
  readonly certPem: string;
  readonly keyPem: string;
}

// Loaded only when there is something to make: it is the slowest import of the server.
const certificateMaker = () => import('selfsigned');

const keys = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

const makeCa = async (nowMs: number): Promise<Pair> => {
  const { generate } = await certificateMaker();
  const made = await generate([{ name: 'commonName', value: 'berth-ca' }], {
    ...keys,
    ...validity(nowMs, caDays),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
    ],
  });
  return { certPem: made.cert, keyPem: made.private };
};

const makeLeaf = async (ca: Pair, names: readonly string[], nowMs: number): Promise<Pair> => {
  const { generate } = await certificateMaker();
  const made = await generate([{ name: 'commonName', value: 'berth-apiserver' }], {
    ...keys,
    ca: { key: ca.keyPem, cert: ca.certPem },
    ...validity(nowMs, leafDays),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map(name => (isAddress(name) ? { type: 7, ip: name } : { type: 2, value: name })),
      },
    ],
  });
  return { certPem: made.cert, keyPem: made.private };
};

// An hour back, for clocks that are a little slow.
const validity = (nowMs: number, days: number) => ({
  notBeforeDate: new Date(nowMs - 60 * 60_000),
  notAfterDate: new Date(nowMs + days * dayMs),
});

const isAddress = (name: string): boolean => /^[\d.]+$/.test(name) || name.includes(':');

const isFresh = ({ certPem }: Pair, nowMs: number): boolean =>
  new X509Certificate(certPem).validToDate.getTime() - nowMs > renewDays * dayMs;

const covers = ({ certPem }: Pair, ca: Pair, names: readonly string[]): boolean => {
  const certificate = new X509Certificate(certPem);
  return (
    certificate.checkIssued(new X509Certificate(ca.certPem)) &&
    names.every(name => (isAddress(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined)
  );
};

const readPair = (dataDir: string, name: string): Pair | undefined => {
  const certPath = join(dataDir, `${name}.crt`);
  const keyPath = join(dataDir, `${name}.key`);
  if (!existsSync(certPath) || !existsSync(keyPath)) return undefined;
  return { certPem: readFileSync(certPath, 'utf8'), keyPem: readFileSync(keyPath, 'utf8') };
};

const writePair = (dataDir: string, name: string, { certPem, keyPem }: Pair): void => {
  writePrivate(join(dataDir, `${name}.key`), keyPem);
  writePrivate(join(dataDir, `${name}.crt`), certPem);
};
