/**
 * Who a request is from: bearer tokens only, always, on loopback too. The administrator's and the join token are random; a
 * node's is derived from a secret, so none needs to be stored. Tokens are compared by digest or in constant time, and
 * never logged.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { User } from '#registry/request.ts';
import { writePrivate } from './private-file.ts';

export interface Tokens {
  readonly adminToken: string;
  readonly joinToken: string;
  nodeToken(node: string): string;
  /** The user of an Authorization header; undefined when there is none or it is not known. */
  authenticate(authorization: string | undefined): User | undefined;
}

interface Secrets {
  readonly adminToken: string;
  readonly joinToken: string;
  readonly nodeSecret: string;
}

export const adminUser: User = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };
export const joinUser: User = {
  name: 'system:bootstrap:join',
  groups: ['system:bootstrappers', 'system:authenticated'],
};

const rememberedTokens = 10_000;

/** Reads the secrets of the data directory, making them the first time; without one they live as long as the process. */
export const openTokens = (dataDir: string | undefined): Tokens => {
  const { adminToken, joinToken, nodeSecret } = openSecrets(dataDir);
  const users = new Map<string, User>([
    [digestOf(adminToken), adminUser],
    [digestOf(joinToken), joinUser],
  ]);
  const nodeToken = (node: string): string => `node.${encode(node)}.${signature(nodeSecret, node)}`;
  const authenticate = (authorization: string | undefined): User | undefined => {
    const token = bearer(authorization);
    if (token === undefined) return undefined;
    // A digest tells an attacker who measures the look-up nothing about the token.
    const digest = digestOf(token);
    const known = users.get(digest);
    if (known !== undefined) return known;
    const node = nodeOfToken(nodeSecret, token);
    if (node === undefined) return undefined;
    const user = { name: `system:node:${node}`, groups: ['system:nodes', 'system:authenticated'] };
    if (users.size < rememberedTokens) users.set(digest, user);
    return user;
  };
  return { adminToken, joinToken, nodeToken, authenticate };
};

const openSecrets = (dataDir: string | undefined): Secrets => {
  const path = dataDir === undefined ? undefined : join(dataDir, 'secrets.json');
  if (path !== undefined && existsSync(path)) {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Partial<Secrets>;
    if (!read.adminToken || !read.joinToken || !read.nodeSecret)
      throw new Error(`${path} is damaged: restore it, or start with an empty data directory`);
    return read as Secrets;
  }
  const random = () => randomBytes(32).toString('base64url');
  const made: Secrets = { adminToken: random(), joinToken: random(), nodeSecret: random() };
  if (path !== undefined) writePrivate(path, `${JSON.stringify(made, null, 2)}\n`);
  return made;
};

const bearer = (authorization: string | undefined): string | undefined => {
  const match = authorization === undefined ? null : /^bearer +(\S+) *$/i.exec(authorization);
  return match?.[1];
};

const digestOf = (token: string): string => createHash('sha256').update(token).digest('base64');
const encode = (text: string): string => Buffer.from(text).toString('base64url');
const signature = (secret: string, node: string): string =>
  createHmac('sha256', secret).update(`node:${node}`).digest('base64url');

const nodeOfToken = (secret: string, token: string): string | undefined => {
  const [kind, name, given, ...more] = token.split('.');
  if (kind !== 'node' || !name || !given || more.length > 0) return undefined;
  const node = Buffer.from(name, 'base64url').toString();
  const expected = Buffer.from(signature(secret, node));
  const actual = Buffer.from(given);
  return expected.length === actual.length && timingSafeEqual(expected, actual) ? node : undefined;
};
