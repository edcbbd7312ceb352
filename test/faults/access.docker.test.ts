/** Who gets in and what they may touch, asked of `berth server` as a process: tokens, other nodes' things, addresses, dangerous pods, private files. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Container, type PodSpec, podKind } from '#api/kinds/core.ts';
import { parseJoin } from '#cli/local/join.ts';
import { type Connection, loadConnection } from '#client/kubeconfig.ts';
import { filesBelow, freePort, modeOf, openPlace, textOf, until } from './berth.ts';
import { idlePod } from './pods.ts';
import { type SplitCluster, startSplitCluster } from './split-cluster.ts';

let cluster: SplitCluster;
let admin: Connection;
let nodeToken: string;

interface Answer {
  readonly code: number;
  readonly reason: string | undefined;
  readonly message: string | undefined;
}

const ask = (method: string, path: string, token: string | undefined, body?: object): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(
      `${cluster.url}${path}`,
      {
        method,
        ca: admin.caPem,
        agent: false,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        },
      },
      response => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          const status = text.startsWith('{') ? (JSON.parse(text) as { reason?: string; message?: string }) : {};
          resolve({ code: response.statusCode ?? 0, reason: status.reason, message: status.message });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });

const asAdmin = async (method: string, path: string, body?: object): Promise<void> => {
  const { code, message } = await ask(method, path, admin.token, body);
  expect(code, `${method} ${path}: ${message}`).toBeLessThan(300);
};

const inDefault = '/api/v1/namespaces/default';
const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

beforeAll(async () => {
  cluster = await startSplitCluster();
  admin = await loadConnection({ kubeconfig: cluster.kubeconfig, env: {} });
  const joined = await cluster.client.request<{ token: string }>({
    method: 'POST',
    path: '/apis/berth.dev/v1/join',
    body: { nodeName: 'a' },
  });
  nodeToken = joined.token;
  for (const name of ['a', 'b']) {
    await asAdmin('POST', '/api/v1/nodes', { metadata: { name } });
    await asAdmin('POST', leases, { metadata: { name }, spec: { holderIdentity: name } });
    const secret = [{ name: 's', secret: { secretName: `of-${name}` } }];
    await asAdmin('POST', `${inDefault}/secrets`, { metadata: { name: `of-${name}` }, stringData: { x: 'y' } });
    await asAdmin('POST', `${inDefault}/pods`, idlePod(`on-${name}`, {}, { nodeName: name, volumes: secret }));
  }
});

afterAll(async () => {
  await cluster?.stop();
});

describe('a request', () => {
  const paths = ['/api', '/api/v1/nodes', `${inDefault}/secrets`, '/metrics', '/apis/berth.dev/v1/nodes/a/link'];
  test.each(paths)('for %s without a token, or with a wrong one, is refused with 401', async path => {
    const [kind, name] = nodeToken.split('.');
    for (const token of [undefined, '', 'wrong', `${admin.token}x`, `${kind}.${name}.${'A'.repeat(43)}`])
      expect(await ask('GET', path, token)).toEqual({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
  });

  test('with the token of another cluster is refused with 401', async () => {
    const other = openPlace();
    onTestFinished(() => other.leave());
    const data = join(other.folder, 'data');
    other.start('server', ['server', '--data', data, '--port', String(await freePort())]);
    await until('the other server runs', () => existsSync(join(data, 'kubeconfig')));
    const { token } = await loadConnection({ kubeconfig: join(data, 'kubeconfig'), env: {} });
    expect((await ask('GET', '/api/v1/nodes', token)).code).toBe(401);
  });

  test('with the join token may join and nothing else', async () => {
    const { token } = parseJoin(cluster.join);
    for (const path of ['/api/v1/nodes', `${inDefault}/pods`, `${inDefault}/secrets/of-a`, '/metrics'])
      expect((await ask('GET', path, token)).code, path).toBe(403);
    expect(await ask('POST', '/api/v1/nodes', token, { metadata: { name: 'c' } })).toEqual({
      code: 403,
      reason: 'Forbidden',
      message:
        'nodes is forbidden: User "system:bootstrap:join" cannot create resource "nodes" in API group "" at the cluster scope',
    });
  });
});

describe('an agent', () => {
  const body = { metadata: { labels: { mine: 'now' } } };
  type Request = readonly [method: string, path: string, body?: object];
  const forbidden: readonly Request[] = [
    ['GET', '/api/v1/nodes'],
    ['GET', '/api/v1/nodes/b'],
    ['GET', '/api/v1/nodes?fieldSelector=metadata.name%3Db&watch=true'],
    ['PATCH', '/api/v1/nodes/b', body],
    ['PATCH', '/api/v1/nodes/b/status', { status: { capacity: { cpu: '99' } } }],
    ['DELETE', '/api/v1/nodes/b'],
    ['DELETE', '/api/v1/nodes/a'],
    ['DELETE', '/api/v1/nodes'],
    ['PATCH', '/api/v1/nodes/a', { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } }],
    ['GET', leases],
    ['GET', `${leases}/b`],
    ['PATCH', `${leases}/b`, { spec: { holderIdentity: 'a' } }],
    ['DELETE', `${leases}/b`],
    ['POST', '/apis/coordination.k8s.io/v1/namespaces/default/leases', { metadata: { name: 'a' }, spec: {} }],
    ['GET', `${inDefault}/pods`],
    ['GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Db'],
    ['GET', `${inDefault}/pods/on-b`],
    ['PATCH', `${inDefault}/pods/on-b/status`, { status: { phase: 'Failed' } }],
    ['PATCH', `${inDefault}/pods/on-b`, body],
    ['PATCH', `${inDefault}/pods/on-a`, body],
    ['DELETE', `${inDefault}/pods/on-b`],
    ['DELETE', `${inDefault}/pods`],
    ['POST', `${inDefault}/pods`, idlePod('mine', {}, { nodeName: 'a' })],
    ['POST', `${inDefault}/pods/on-b/eviction`, { metadata: { name: 'on-b' } }],
    ['POST', `${inDefault}/pods/on-b/binding`, { metadata: { name: 'on-b' }, target: { name: 'a' } }],
    ['GET', `${inDefault}/pods/on-b/log`],
    ['GET', `${inDefault}/pods/on-b/exec?command=id&stdout=true`],
    ['POST', `${inDefault}/pods/on-b/exec?command=id&stdout=true`],
    ['POST', `${inDefault}/pods/on-a/exec?command=id&stdout=true`],
    ['POST', `${inDefault}/pods/on-b/attach?stdout=true`],
    ['POST', `${inDefault}/pods/on-b/portforward`],
    ['GET', `${inDefault}/secrets`],
    ['GET', `${inDefault}/secrets/of-b`],
    ['GET', `${inDefault}/secrets?fieldSelector=metadata.name%3Dof-b&watch=true`],
    ['PATCH', `${inDefault}/secrets/of-a`, { stringData: { x: 'z' } }],
    ['DELETE', `${inDefault}/secrets/of-a`],
    ['GET', `${inDefault}/configmaps`],
    ['POST', `${inDefault}/configmaps`, { metadata: { name: 'mine' } }],
    ['GET', '/api/v1/namespaces'],
    ['PATCH', '/api/v1/namespaces/default', body],
    ['GET', '/apis/berth.dev/v1/nodes/b/link'],
    ['POST', '/apis/berth.dev/v1/join', { nodeName: 'b' }],
  ];
  test.each(forbidden.map(each => ({ name: `${each[0]} ${each[1]}`, each })))(
    'is refused $name with 403',
    async ({ each }) => {
      const [method, path, sent] = each;
      const { code, reason, message } = await ask(method, path, nodeToken, sent);
      expect({ code, reason }).toEqual({ code: 403, reason: 'Forbidden' });
      expect(message).toMatch(
        / is forbidden: (User "system:node:a" cannot [a-z]+ resource "|node "a" (is not allowed to|can only) |can only access )/,
      );
    },
  );

  const allowed: readonly Request[] = [
    ['GET', '/api/v1/nodes/a'],
    ['GET', `${leases}/a`],
    ['GET', `${inDefault}/pods/on-a`],
    ['GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Da'],
    ['GET', `${inDefault}/secrets/of-a`],
    ['PATCH', `${leases}/a`, { spec: { holderIdentity: 'a' } }],
    ['PATCH', '/api/v1/nodes/a/status', { status: { capacity: { cpu: '1' } } }],
    ['PATCH', `${inDefault}/pods/on-a/status`, { status: { phase: 'Running' } }],
  ];
  test.each(allowed.map(each => ({ name: `${each[0]} ${each[1]}`, each })))('may $name', async ({ each }) => {
    const [method, path, sent] = each;
    expect(await ask(method, path, nodeToken, sent)).toMatchObject({ code: 200 });
  });
});

describe('a pod that could harm the host', () => {
  const dangerous: Readonly<Record<string, [Partial<Container>, Partial<PodSpec>, string]>> = {
    privileged: [
      { securityContext: { privileged: true } },
      {},
      'privileged (container "app" must not set securityContext.privileged=true)',
    ],
    hostPath: [{}, { volumes: [{ name: 'h', hostPath: { path: '/' } }] }, 'hostPath volumes (volume "h")'],
    hostNetwork: [{}, { hostNetwork: true }, 'host namespaces (hostNetwork=true)'],
    hostPID: [{}, { hostPID: true }, 'host namespaces (hostPID=true)'],
  };
  test.each(Object.entries(dangerous))(
    '%s is refused with the way to allow it, and allowed in that way',
    async (name, [container, spec, why]) => {
      const namespace = `danger-${name.toLowerCase()}`;
      await asAdmin('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
      const pod = {
        ...idlePod(name.toLowerCase(), container, spec),
        metadata: { name: name.toLowerCase(), namespace },
      };
      const { code, message } = await ask('POST', `/api/v1/namespaces/${namespace}/pods`, admin.token, pod);
      expect({ code, message }).toEqual({
        code: 403,
        message: `pods "${name.toLowerCase()}" is forbidden: violates PodSecurity "baseline:latest": ${why}. To allow it, an administrator can run: kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=privileged`,
      });
      await asAdmin('PATCH', `/api/v1/namespaces/${namespace}`, {
        metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
      });
      await cluster.client.create(podKind, pod);
    },
  );
});

/** The local addresses that somebody listens on at that port, as the kernel writes them. */
const listeners = (port: number): readonly string[] =>
  ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(file => {
    const rows = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(1) : [];
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    return rows.flatMap(row => {
      const [, local = '', , state] = row.trim().split(/\s+/);
      return state === '0A' && local.endsWith(`:${hex}`) ? [local.split(':')[0]!] : [];
    });
  });

describe.skipIf(!existsSync('/proc/net/tcp'))('the API', () => {
  test('listens on loopback only', () => {
    expect(listeners(Number(new URL(cluster.url).port))).toEqual(['0100007F']);
    expect(textOf(cluster.server().log)).not.toContain('Warning');
  });

  test('listens on other addresses when it is told to, and says so loudly', async () => {
    const place = openPlace();
    onTestFinished(() => place.leave());
    const port = await freePort();
    const data = join(place.folder, 'data');
    const server = place.start('server', ['server', '--data', data, '--port', String(port), '--host', '0.0.0.0']);
    await until('the server runs', () => textOf(server.log).includes('A node joins with'));
    expect(listeners(port)).toEqual(['00000000']);
    expect(textOf(server.log)).toContain(
      'Warning: the API listens on 0.0.0.0, not only on loopback: whoever has a token and reaches this machine can use it.\n',
    );
  });
});

test('what the server keeps is private, and no token is in its log', () => {
  expect(modeOf(join(cluster.serverData, 'server'))).toBe('700');
  for (const file of filesBelow(cluster.serverData)) expect(modeOf(file), file).toBe('600');
  expect(readdirSync(join(cluster.serverData, 'server'))).toContain('secrets.json');
  const secrets = JSON.parse(textOf(join(cluster.serverData, 'server', 'secrets.json'))) as Record<string, string>;
  const log = textOf(cluster.server().log);
  for (const value of [...Object.values(secrets), nodeToken]) expect(log.includes(value)).toBe(false);
});
