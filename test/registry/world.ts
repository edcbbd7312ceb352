/** A registry over an empty memory store in virtual time, with the namespaces that tests use, and short ways to call it. */
import type { Kind } from '#api/kind.ts';
import { namespaceKind, type Pod, podKind } from '#api/kinds/core.ts';
import type { NodeUsage } from '#api/node-calls.ts';
import type { KubeObject } from '#api/object.ts';
import { ApiError } from '#api/status.ts';
import { VirtualClock } from '#base/clock.ts';
import { seededRandom } from '#base/random.ts';
import type { Patch } from '#client/client.ts';
import { createRegistry, type Registry } from '#registry/registry.ts';
import { systemUser, type Target, type WriteContext } from '#registry/request.ts';
import { stamp } from '#registry/stamp.ts';
import { memoryJournal } from '#store/journal.ts';
import { openStore, type Retention } from '#store/store.ts';

export const startMs = Date.parse('2026-11-21T12:00:00Z');

export interface World {
  readonly registry: Registry;
  readonly clock: VirtualClock;
  readonly warnings: string[];
  context(more?: Partial<WriteContext>): WriteContext;
  create<T = KubeObject>(kind: Kind<never>, body: object, more?: Partial<WriteContext>): Promise<T>;
  update<T = KubeObject>(kind: Kind<never>, body: object, more?: Partial<WriteContext & Target>): Promise<T>;
  patch<T = KubeObject>(
    kind: Kind<never>,
    name: string,
    patch: Patch,
    more?: Partial<WriteContext & Target>,
  ): Promise<T>;
  get<T = KubeObject>(kind: Kind<never>, name: string, namespace?: string): T;
}

export const createWorld = async (
  options: { retention?: Retention; usage?: readonly NodeUsage[] } = {},
): Promise<World> => {
  const settle = () => new Promise<void>(resolve => setImmediate(resolve));
  const clock = new VirtualClock(startMs, settle);
  const store = openStore<KubeObject>({
    journal: memoryJournal(),
    stamp,
    soon: task => void setImmediate(task),
    now: () => clock.now(),
    ...(options.retention === undefined ? {} : { retention: options.retention }),
  });
  const registry = createRegistry({ store, clock, random: seededRandom(7), usage: async () => options.usage ?? [] });
  const warnings: string[] = [];
  const context = (more: Partial<WriteContext> = {}): WriteContext => ({
    user: systemUser,
    warn: text => void warnings.push(text),
    ...more,
  });
  const home = (kind: Kind<never>, namespace?: string) => (kind.namespaced ? (namespace ?? 'default') : undefined);
  const plain = (kind: Kind<never>): Kind => kind as unknown as Kind;
  const world: World = {
    registry,
    clock,
    warnings,
    context,
    create: async <T>(kind: Kind<never>, body: object, more?: Partial<WriteContext>) => {
      const { namespace } = (body as Partial<KubeObject>).metadata ?? {};
      const target = { kind: plain(kind), namespace: home(kind, namespace) };
      return (await registry.write(target, { verb: 'create', body }, context(more))).entry.value as T;
    },
    update: async <T>(
      kind: Kind<never>,
      body: object,
      { subresource, ...more }: Partial<WriteContext & Target> = {},
    ) => {
      const { namespace, name } = (body as KubeObject).metadata;
      const target = { kind: plain(kind), namespace: home(kind, namespace), name, subresource };
      return (await registry.write(target, { verb: 'update', body }, context(more))).entry.value as T;
    },
    patch: async <T>(
      kind: Kind<never>,
      name: string,
      patch: Patch,
      { subresource, namespace, ...more }: Partial<WriteContext & Target> = {},
    ) => {
      const target = { kind: plain(kind), namespace: home(kind, namespace), name, subresource };
      return (await registry.write(target, { verb: 'patch', patch }, context(more))).entry.value as T;
    },
    get: <T>(kind: Kind<never>, name: string, namespace?: string) => {
      const ref = home(kind, namespace) === undefined ? { name } : { namespace: home(kind, namespace)!, name };
      return registry.get(plain(kind), ref).value as T;
    },
  };
  for (const name of ['default', 'other', 'kube-system', 'kube-node-lease'])
    await world.create(namespaceKind, { metadata: { name } });
  return world;
};

export const podBody = (name: string, spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: { containers: [{ name: 'app', image: 'nginx:1' }], ...spec },
});

export const createPod = (world: World, name: string, spec: object = {}, metadata: object = {}): Promise<Pod> =>
  world.create<Pod>(podKind, podBody(name, spec, metadata));

/** The Status that a call fails with. */
export const failure = async (call: Promise<unknown> | (() => unknown)): Promise<ApiError['status']> => {
  try {
    await (typeof call === 'function' ? call() : call);
  } catch (error) {
    if (error instanceof ApiError) return error.status;
    throw error;
  }
  throw new Error('it should have failed');
};
