import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTokens } from '#server/authn.ts';
import { requestInfo } from '#server/request-info.ts';
import { ensureTls } from '#server/tls.ts';

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'berth-security-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const nowMs = Date.parse('2026-11-21T12:00:00Z');
const dayMs = 24 * 60 * 60_000;

describe('certificates', () => {
  test('are kept privately and reused', async () => {
    const first = await ensureTls({ dataDir, hosts: ['example.test', '10.1.2.3'], nowMs });
    const leaf = new X509Certificate(first.certPem);
    expect(leaf.checkIssued(new X509Certificate(first.caPem))).toBe(true);
    for (const name of ['localhost', 'example.test']) expect(leaf.checkHost(name)).toBe(name);
    for (const address of ['127.0.0.1', '10.1.2.3']) expect(leaf.checkIP(address)).toBe(address);
    expect(createPublicKey(first.certPem).asymmetricKeyType).toBe('ec');
    for (const file of readdirSync(dataDir)) expect(statSync(join(dataDir, file)).mode & 0o777, file).toBe(0o600);
    expect(await ensureTls({ dataDir, hosts: ['example.test'], nowMs: nowMs + 30 * dayMs })).toEqual(first);
  });

  test('are renewed before they end, and when another name is needed, under the same CA', async () => {
    const first = await ensureTls({ dataDir, hosts: [], nowMs });
    const later = await ensureTls({ dataDir, hosts: [], nowMs: nowMs + 320 * dayMs });
    expect(later.caPem).toBe(first.caPem);
    expect(later.certPem).not.toBe(first.certPem);
    const wider = await ensureTls({ dataDir, hosts: ['new.test'], nowMs: nowMs + 320 * dayMs });
    expect(new X509Certificate(wider.certPem).checkHost('new.test')).toBe('new.test');
  });
});

describe('tokens', () => {
  test('are kept privately and know their users', () => {
    const tokens = openTokens(dataDir);
    expect(statSync(join(dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
    const again = openTokens(dataDir);
    expect(again.adminToken).toBe(tokens.adminToken);
    expect(again.authenticate(`Bearer ${tokens.adminToken}`)?.groups).toContain('system:masters');
    const node = again.authenticate(`bearer ${tokens.nodeToken('n.1')}`);
    expect(node).toEqual({ name: 'system:node:n.1', groups: ['system:nodes', 'system:authenticated'] });
  });

  test('that are wrong, cut, or of another cluster are nobody’s', () => {
    const tokens = openTokens(undefined);
    const other = openTokens(undefined);
    const good = tokens.nodeToken('a');
    const [kind, , signature] = good.split('.');
    const renamed = `${kind}.${Buffer.from('b').toString('base64url')}.${signature}`;
    for (const token of [
      '',
      'x',
      good.slice(0, -1),
      renamed,
      other.nodeToken('a'),
      other.adminToken,
      'node..',
      'node.a.b.c',
    ])
      expect(tokens.authenticate(`Bearer ${token}`), token).toBeUndefined();
    for (const header of [undefined, '', good, `Basic ${good}`]) expect(tokens.authenticate(header)).toBeUndefined();
  });

  test('of a damaged file are not made anew in silence', () => {
    openTokens(dataDir);
    writeFileSync(join(dataDir, 'secrets.json'), '{}');
    expect(() => openTokens(dataDir)).toThrow('is damaged');
    expect(readFileSync(join(dataDir, 'secrets.json'), 'utf8')).toBe('{}');
  });
});

describe('what a request is about', () => {
  test.each([
    ['GET', '/api/v1/pods', 'list', { resource: 'pods', namespace: undefined, name: undefined }],
    ['GET', '/api/v1/namespaces/x/pods?watch=1', 'watch', { resource: 'pods', namespace: 'x' }],
    ['GET', '/api/v1/namespaces/x/pods?watch=false', 'list', {}],
    ['GET', '/api/v1/namespaces/x/pods/p', 'get', { name: 'p', subresource: undefined }],
    ['HEAD', '/api/v1/nodes/n', 'get', { resource: 'nodes', name: 'n' }],
    ['GET', '/api/v1/namespaces/x/pods/p/log', 'get', { subresource: 'log' }],
    ['GET', '/api/v1/namespaces', 'list', { resource: 'namespaces', namespace: undefined }],
    ['GET', '/api/v1/namespaces/x', 'get', { resource: 'namespaces', name: 'x', namespace: undefined }],
    ['PUT', '/api/v1/namespaces/x/finalize', 'update', { resource: 'namespaces', name: 'x', subresource: 'finalize' }],
    ['PATCH', '/api/v1/namespaces/x/status', 'patch', { resource: 'namespaces', name: 'x', subresource: 'status' }],
    [
      'POST',
      '/apis/apps/v1/namespaces/x/replicasets',
      'create',
      { group: 'apps', version: 'v1', resource: 'replicasets' },
    ],
    ['DELETE', '/api/v1/namespaces/x/pods', 'deletecollection', {}],
    ['DELETE', '/api/v1/namespaces/x/pods/p%2Fq', 'delete', { name: 'p/q' }],
    ['GET', '/apis/berth.dev/v1/nodes/n/link/c1', 'get', { resource: 'nodes', name: 'n', subresource: 'link/c1' }],
  ])('%s %s is %s', (method, url, verb, rest) => {
    expect(requestInfo(method, url)).toMatchObject({ isResource: true, verb, ...rest });
  });

  test.each(['/', '/api', '/api/v1', '/apis/apps/v1', '/version', '/openapi/v3/apis/apps/v1', '/metrics'])(
    '%s is no resource',
    url => {
      expect(requestInfo('GET', url)).toMatchObject({ isResource: false, verb: 'get' });
    },
  );
});
