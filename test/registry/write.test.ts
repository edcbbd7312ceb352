import { beforeEach, describe, expect, test } from 'vitest';
import { type ConfigMap, configMapKind, namespaceKind, type Pod, podKind } from '#api/kinds/core.ts';
import { type PriorityClass, priorityClassKind } from '#api/kinds/scheduling.ts';
import { createRegistry } from '#registry/registry.ts';
import { createPod, createWorld, failure, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
const map = (name: string, data: object = { a: '1' }, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  data,
});

describe('create', () => {
  test('gives the object identity, time, revision, and its defaults', async () => {
    const pod = await createPod(world, 'web');
    expect(pod.metadata).toMatchObject({
      name: 'web',
      namespace: 'default',
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      creationTimestamp: '2026-11-21T12:00:00Z',
      resourceVersion: String(world.registry.store.rev),
    });
    expect(pod.spec).toMatchObject({
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      serviceAccountName: 'default',
    });
    expect(pod.status?.phase).toBe('Pending');
  });

  test('refuses a second object of the name, in upstream’s words', async () => {
    await world.create(configMapKind, map('a'));
    expect(await failure(world.create(configMapKind, map('a')))).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "a" already exists',
    });
  });

  test('makes a name from generateName, and another one when it is taken', async () => {
    const made = await Promise.all(
      Array.from({ length: 30 }, () => world.create<ConfigMap>(configMapKind, { metadata: { generateName: 'c-' } })),
    );
    const names = made.map(object => object.metadata.name);
    expect(new Set(names).size).toBe(30);
    for (const name of names) expect(name).toMatch(/^c-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  test('gives up when every name made from generateName is taken', async () => {
    const luckless = createRegistry({ ...world.registry, random: { ...world.registry.random, next: () => 0 } });
    const make = () =>
      luckless.write(
        { kind: configMapKind as never, namespace: 'default' },
        { verb: 'create', body: { metadata: { generateName: 'c-' } } },
        world.context(),
      );
    await make();
    expect(await failure(make())).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "c-" already exists, the server was not able to generate a unique name for the object',
      details: { name: 'c-', kind: 'configmaps', retryAfterSeconds: 1 },
    });
  });

  test('needs its namespace, which must not be ending', async () => {
    expect(await failure(world.create(configMapKind, map('a', {}, { namespace: 'nope' })))).toMatchObject({
      code: 404,
      message: 'namespaces "nope" not found',
    });
    await world.registry.remove({ kind: namespaceKind as never, name: 'other' }, {}, world.context());
    expect(await failure(world.create(configMapKind, map('a', {}, { namespace: 'other' })))).toMatchObject({
      code: 403,
      message:
        'configmaps "a" is forbidden: unable to create new content in namespace other because it is being terminated',
      details: { causes: [{ reason: 'NamespaceTerminating', message: 'namespace other is being terminated' }] },
    });
  });

  test('refuses a resourceVersion and a namespace other than that of the request', async () => {
    expect(await failure(world.create(configMapKind, map('a', {}, { resourceVersion: '3' })))).toMatchObject({
      code: 400,
    });
    const target = { kind: configMapKind as never, namespace: 'default' };
    const body = map('a', {}, { namespace: 'other' });
    expect(await failure(world.registry.write(target, { verb: 'create', body }, world.context()))).toMatchObject({
      code: 400,
      message: 'the namespace of the provided object does not match the namespace sent on the request',
    });
  });

  test('with dryRun answers what would be and keeps nothing', async () => {
    const before = world.registry.store.rev;
    const made = await world.create<ConfigMap>(configMapKind, map('dry'), { dryRun: true });
    expect(made.metadata.uid).toBeDefined();
    expect(world.registry.store.rev).toBe(before);
    expect(await failure(() => world.get(configMapKind, 'dry'))).toMatchObject({ code: 404 });
  });

  test('judges unknown and repeated fields as strictly as it is asked to', async () => {
    const body = { ...map('a'), bogus: 1 };
    const target = { kind: configMapKind as never, namespace: 'default' };
    const change = { verb: 'create' as const, body, strictFaults: ['duplicate field "data.a"'] };
    expect(
      await failure(world.registry.write(target, change, world.context({ fieldValidation: 'Strict' }))),
    ).toMatchObject({
      code: 400,
      reason: 'BadRequest',
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "bogus", duplicate field "data.a"',
    });
    await world.registry.write(target, change, world.context({ fieldValidation: 'Warn' }));
    expect(world.warnings).toEqual(['unknown field "bogus"', 'duplicate field "data.a"']);
    await world.create(configMapKind, { ...map('b'), bogus: 1 }, { fieldValidation: 'Ignore' });
    expect(world.warnings).toHaveLength(2);
  });

  test('answers all faults at once, by field', async () => {
    const status = await failure(
      createPod(world, 'Bad_Name', { containers: [{ name: 'app' }, { name: 'app', image: 'x' }] }),
    );
    expect(status).toMatchObject({ code: 422, reason: 'Invalid', details: { kind: 'Pod', name: 'Bad_Name' } });
    const fields = status.details?.causes?.map(cause => cause.field);
    expect(fields).toEqual(
      expect.arrayContaining(['metadata.name', 'spec.containers[0].image', 'spec.containers[1].name']),
    );
  });
});

describe('update', () => {
  test('of revision 0 insists on none', async () => {
    const made = await world.create<ConfigMap>(configMapKind, map('a', {}, { resourceVersion: '0' }));
    const next = map('a', { b: '2' }, { resourceVersion: '0' });
    const updated = await world.update<ConfigMap>(configMapKind, next);
    expect(Number(updated.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
  });

  test('replaces the object, and refuses a revision that is not the present one', async () => {
    const first = await world.create<ConfigMap>(configMapKind, map('a'));
    const second = await world.update<ConfigMap>(configMapKind, { ...first, data: { a: '2' } });
    expect(second.data).toEqual({ a: '2' });
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
    expect(await failure(world.update(configMapKind, { ...first, data: { a: '3' } }))).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    });
    const unconditional = await world.update<ConfigMap>(configMapKind, map('a', { a: '4' }));
    expect(unconditional.metadata.uid).toBe(first.metadata.uid);
  });

  test('that changes nothing keeps the revision', async () => {
    const first = await world.create<ConfigMap>(configMapKind, map('a'));
    const same = await world.update<ConfigMap>(configMapKind, map('a'));
    expect(same.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    const patched = await world.patch<ConfigMap>(configMapKind, 'a', { type: 'merge', body: { data: { a: '1' } } });
    expect(patched.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  test('of the object keeps its status, and of the status keeps the object', async () => {
    const pod = await createPod(world, 'web');
    const labelled = await world.update<Pod>(podKind, {
      ...pod,
      metadata: { ...pod.metadata, labels: { a: 'b' } },
      status: { phase: 'Failed' },
    });
    expect(labelled.status?.phase).toBe('Pending');
    const running = await world.update<Pod>(
      podKind,
      {
        ...labelled,
        spec: { ...labelled.spec, containers: [{ name: 'x', image: 'y' }] },
        status: { ...labelled.status, phase: 'Running' },
      },
      { subresource: 'status' },
    );
    expect(running.status?.phase).toBe('Running');
    expect(running.spec).toEqual(labelled.spec);
    const bare = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, status: { phase: 'Failed' } };
    expect((await world.update<Pod>(podKind, bare, { subresource: 'status' })).spec).toEqual(labelled.spec);
  });

  test('cannot change what makes a pod what it is', async () => {
    const pod = await createPod(world, 'web');
    const status = await failure(world.update(podKind, { ...pod, spec: { ...pod.spec, restartPolicy: 'Never' } }));
    expect(status).toMatchObject({ code: 422 });
    expect(status.message).toContain('spec: Forbidden: pod updates may not change fields other than');
  });

  test('leaves the generation of a class without specification at 1', async () => {
    const body = { metadata: { name: 'high', generation: 7 }, value: 10 };
    const created = await world.create<PriorityClass>(priorityClassKind, body);
    expect(created.metadata.generation).toBe(1);
    const patch = { type: 'merge' as const, body: { description: 'for the few' } };
    const changed = await world.patch<PriorityClass>(priorityClassKind, 'high', patch);
    expect(changed).toMatchObject({ metadata: { generation: 1 }, description: 'for the few' });
  });

  test('raises the generation only when the specification changes', async () => {
    const pod = await createPod(world, 'web');
    expect(pod.metadata.generation).toBe(1);
    const labelled = await world.patch<Pod>(podKind, 'web', {
      type: 'merge',
      body: { metadata: { labels: { a: 'b' } } },
    });
    expect(labelled.metadata.generation).toBe(1);
    const image = { spec: { containers: [{ name: 'app', image: 'nginx:2' }] } };
    const changed = await world.patch<Pod>(podKind, 'web', { type: 'strategic', body: image });
    expect(changed.metadata.generation).toBe(2);
  });

  test('refuses another object of the same name', async () => {
    await world.create(configMapKind, map('a'));
    expect(await failure(world.update(configMapKind, map('a', {}, { uid: 'other' })))).toMatchObject({
      code: 409,
      message: expect.stringContaining('Precondition failed: UID in precondition: other, UID in object meta: '),
    });
  });

  test('of what does not exist is NotFound', async () => {
    expect(await failure(world.update(configMapKind, map('nope')))).toMatchObject({ code: 404 });
  });
});

describe('patch', () => {
  test('by many at once loses none of the changes', async () => {
    await world.create(configMapKind, map('a', {}));
    const keys = Array.from({ length: 10 }, (_, i) => `k${i}`);
    await Promise.all(
      keys.map(key => world.patch(configMapKind, 'a', { type: 'merge', body: { data: { [key]: key } } })),
    );
    expect(Object.keys(world.get<ConfigMap>(configMapKind, 'a').data ?? {}).sort()).toEqual(keys);
  });

  test('may insist on a revision', async () => {
    await world.create(configMapKind, map('a'));
    const body = { metadata: { resourceVersion: '1' }, data: { a: '2' } };
    expect(await failure(world.patch(configMapKind, 'a', { type: 'merge', body }))).toMatchObject({ code: 409 });
  });

  test('of every type works', async () => {
    await createPod(world, 'web', {}, { labels: { a: '1' } });
    const json = [{ op: 'add', path: '/metadata/labels/b', value: '2' }];
    await world.patch(podKind, 'web', { type: 'json', body: json });
    await world.patch(podKind, 'web', { type: 'merge', body: { metadata: { labels: { a: null } } } });
    const strategic = { spec: { containers: [{ name: 'app', image: 'x:2' }] } };
    const pod = await world.patch<Pod>(podKind, 'web', { type: 'strategic', body: strategic });
    expect(pod.metadata.labels).toEqual({ b: '2' });
    expect(pod.spec.containers[0]).toMatchObject({ name: 'app', image: 'x:2', imagePullPolicy: 'IfNotPresent' });
  });

  test('server-side apply creates, owns, conflicts, and gives way to force', async () => {
    const config = (value: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a' },
      data: { k: value },
    });
    const apply = (value: string, fieldManager: string, force = false) =>
      world.patch<ConfigMap>(configMapKind, 'a', { type: 'apply', body: config(value) }, { fieldManager, force });
    const first = await apply('1', 'alice');
    expect(first.metadata.managedFields).toMatchObject([{ manager: 'alice', operation: 'Apply' }]);
    expect((await apply('1', 'alice')).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(await failure(apply('2', 'bob'))).toMatchObject({
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "alice": .data.k',
    });
    expect((await apply('2', 'bob', true)).data).toEqual({ k: '2' });
    const unnamed = { type: 'apply' as const, body: config('3') };
    expect(await failure(world.patch(configMapKind, 'a', unnamed))).toMatchObject({ code: 422 });
  });

  test('whose result has unknown fields is refused when it is to be strict', async () => {
    await createPod(world, 'web');
    const patch = { type: 'strategic' as const, body: { spec: { bogus: 1 } } };
    expect(await failure(world.patch(podKind, 'web', patch, { fieldValidation: 'Strict' }))).toMatchObject({
      code: 422,
      message:
        ' "" is invalid: patch: Invalid value: "map[spec:map[bogus:1]]": strict decoding error: unknown field "spec.bogus"',
      details: { causes: [{ field: 'patch', message: expect.stringContaining('unknown field "spec.bogus"') }] },
    });
  });

  test('whose result has a value of a wrong type is refused as a whole, naming the field', async () => {
    await createPod(world, 'web');
    const why = 'json: cannot unmarshal string into Go struct field PodSpec.spec.priority of type int32';
    const strategic = { type: 'strategic' as const, body: { spec: { priority: 'x', nodeName: null, overhead: [] } } };
    expect(await failure(world.patch(podKind, 'web', strategic))).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: ` "" is invalid: patch: Invalid value: "map[spec:map[nodeName:<nil> overhead:[] priority:x]]": ${why}`,
      details: { causes: [{ reason: 'FieldValueInvalid', field: 'patch' }] },
    });
    const merge = { type: 'merge' as const, body: { spec: { priority: 'x' } } };
    const json = { type: 'json' as const, body: [{ op: 'add', path: '/spec/priority', value: 'x' }] };
    for (const patch of [merge, json]) {
      const refused = await failure(world.patch(podKind, 'web', patch));
      expect(refused).toMatchObject({ code: 422, reason: 'Invalid', message: expect.stringContaining(why) });
      // What is quoted is the object as the patch left it.
      expect(refused.message).toContain(JSON.stringify('"priority":"x"').slice(1, -1));
    }
    const kind = { type: 'merge' as const, body: { kind: 'Node' } };
    expect(await failure(world.patch(podKind, 'web', kind))).toMatchObject({ code: 422 });
    expect(await failure(world.update(podKind, { metadata: { name: 'web' }, spec: { priority: 'x' } }))).toMatchObject({
      code: 400,
      message: `Pod in version "v1" cannot be handled as a Pod: ${why}`,
    });
  });

  test('through a field manager is remembered, without one it is not', async () => {
    await world.create(configMapKind, map('a'), { fieldManager: 'kubectl-create' });
    const silent = await world.patch<ConfigMap>(configMapKind, 'a', { type: 'merge', body: { data: { b: '2' } } });
    expect(silent.metadata.managedFields?.map(entry => entry.manager)).toEqual(['kubectl-create']);
    const body = { metadata: { labels: { x: 'y' } } };
    const named = await world.patch<ConfigMap>(
      configMapKind,
      'a',
      { type: 'merge', body },
      { fieldManager: 'kubectl-label' },
    );
    expect(named.metadata.managedFields?.map(entry => entry.manager).sort()).toEqual([
      'kubectl-create',
      'kubectl-label',
    ]);
  });
});
