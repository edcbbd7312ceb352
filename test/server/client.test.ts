/** The Client interface keeps its promises both ways: in the server's process and over HTTPS. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConfigMap, configMapKind, type Pod, podKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import type { Client, WatchEvent } from '#client/client.ts';
import { createHttpClient } from '#client/http.ts';
import { createLocalClient } from '#registry/local-client.ts';
import { systemUser } from '#registry/request.ts';
import { startServer, type TestServer } from './server.ts';

const testClient = (name: string, make: (server: TestServer) => { client: Client; close(): Promise<void> }): void => {
  describe(name, () => {
    let server: TestServer;
    let client: Client;
    let close = async () => {};
    beforeAll(async () => {
      server = await startServer();
      ({ client, close } = make(server));
    });
    afterAll(async () => {
      await close();
      await server.stop();
    });
    const map = (n: string, data: Record<string, string> = {}): ConfigMap => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: n, namespace: 'default', labels: { name: n } },
      data,
    });
    const ref = (n: string) => ({ namespace: 'default', name: n });

    test('creates, reads, replaces, patches and removes', async () => {
      const made = await client.create(configMapKind, map('a', { x: '1' }));
      expect(await client.get(configMapKind, ref('a'))).toEqual(made);
      const replaced = await client.update(configMapKind, { ...made, data: { x: '2' } });
      await expect(client.update(configMapKind, { ...made, data: { x: '3' } })).rejects.toSatisfy(error =>
        isReason(error, 'Conflict'),
      );
      const patched = await client.patch(configMapKind, ref('a'), { type: 'merge', body: { data: { y: '1' } } });
      expect(patched.data).toEqual({ x: '2', y: '1' });
      expect(replaced.metadata.uid).toBe(made.metadata.uid);
      await client.remove(configMapKind, ref('a'));
      await expect(client.get(configMapKind, ref('a'))).rejects.toSatisfy(error => isReason(error, 'NotFound'));
    });

    test('lists with selectors and pages', async () => {
      for (const n of ['l1', 'l2', 'l3']) await client.create(configMapKind, map(n));
      const first = await client.list(configMapKind, {
        namespace: 'default',
        labelSelector: 'name in (l1,l2,l3)',
        limit: 2,
      });
      const rest = await client.list(configMapKind, {
        namespace: 'default',
        labelSelector: 'name in (l1,l2,l3)',
        limit: 2,
        continue: first.metadata.continue ?? '',
      });
      expect([...first.items, ...rest.items].map(({ metadata }) => metadata.name)).toEqual(['l1', 'l2', 'l3']);
      expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    });

    test('watches from a revision on, in order, until it is told to stop', async () => {
      const { metadata } = await client.list(configMapKind);
      const abort = new AbortController();
      const events: string[] = [];
      const shown = (event: WatchEvent<ConfigMap>) =>
        event.type === 'BOOKMARK'
          ? 'BOOKMARK'
          : `${event.type} ${event.object.metadata.name} ${event.object.data?.['n'] ?? ''}`;
      const watching = (async () => {
        const options = { resourceVersion: metadata.resourceVersion ?? '', signal: abort.signal };
        for await (const batch of client.watch(configMapKind, options)) {
          events.push(...batch.map(shown));
          if (events.length >= 3) abort.abort();
        }
      })();
      await client.create(configMapKind, map('w', { n: '1' }));
      await client.patch(configMapKind, ref('w'), { type: 'merge', body: { data: { n: '2' } } });
      await client.remove(configMapKind, ref('w'));
      await watching;
      expect(events).toEqual(['ADDED w 1', 'MODIFIED w 2', 'DELETED w 2']);
    });

    test('throws Expired from a watch whose past is gone', async () => {
      server.registry.store.compact(server.registry.store.rev);
      const watching = (async () => {
        const signal = new AbortController().signal;
        for await (const _ of client.watch(configMapKind, { resourceVersion: '1', signal })) break;
      })();
      await expect(watching).rejects.toSatisfy(error => isReason(error, 'Expired'));
    });

    test('gives warnings, and keeps nothing of a dry run', async () => {
      const warnings: string[] = [];
      const options = { dryRun: true, onWarning: (text: string) => void warnings.push(text) };
      await client.create(configMapKind, { ...map('dry'), bogus: 1 } as ConfigMap, options);
      expect(warnings).toEqual(['unknown field "bogus"']);
      await expect(client.get(configMapKind, ref('dry'))).rejects.toSatisfy(error => isReason(error, 'NotFound'));
    });

    test('binds pods, and reports who was slower', async () => {
      const spec = { containers: [{ name: 'c', image: 'x' }] };
      await client.create(podKind, { apiVersion: 'v1', kind: 'Pod', metadata: ref('p'), spec } as Pod);
      const bind = (node: string) =>
        client.post(podKind, ref('p'), 'binding', { metadata: { name: 'p' }, target: { kind: 'Node', name: node } });
      await bind('n1');
      await expect(bind('n2')).rejects.toThrow('pod p is already assigned to node "n1"');
      const status = { type: 'strategic' as const, body: { status: { phase: 'Running' } } };
      expect((await client.patch(podKind, ref('p'), status, { subresource: 'status' })).status?.phase).toBe('Running');
    });

    test('removes only what the preconditions mean', async () => {
      await client.create(configMapKind, map('pre'));
      const options = { preconditions: { uid: 'another' } };
      await expect(client.remove(configMapKind, ref('pre'), options)).rejects.toSatisfy(error =>
        isReason(error, 'Conflict'),
      );
      await client.remove(configMapKind, ref('pre'), { dryRun: true });
      expect((await client.get(configMapKind, ref('pre'))).metadata.name).toBe('pre');
    });
  });
};

testClient('the client in the same process', ({ registry }) => ({
  client: createLocalClient(registry, systemUser),
  close: async () => {},
}));

testClient('the client over HTTPS', ({ url, tokens, caPem }) => {
  const client = createHttpClient({ server: url, token: tokens.adminToken, caPem });
  return { client, close: () => client.close() };
});
