import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeObject } from '#api/decode.ts';
import { type ConfigMap, configMapKind, type Pod, podKind } from '#api/kinds/core.ts';
import type { ManagedFieldsEntry } from '#api/object.ts';
import { applyPatch, trackUpdate } from '#api/patch/apply.ts';
import { jsonPatch } from '#api/patch/json.ts';
import { nodeOf } from '#api/schema.ts';
import { deepFreeze } from '#base/deep.ts';
import { anyPod } from './pod-arbitrary.ts';

const t1 = '2026-11-21T20:00:01Z';
const t2 = '2026-11-21T20:00:02Z';

const configMap = (data: Record<string, string> | undefined, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'm', namespace: 'default', ...metadata },
  ...(data === undefined ? {} : { data }),
});

const applyMap = (
  live: ConfigMap | undefined,
  config: object,
  manager: string,
  options: { force?: boolean; now?: string } = {},
) =>
  deepFreeze(
    applyPatch({ kind: configMapKind, live, config, manager, force: options.force ?? false, now: options.now ?? t1 }),
  );

/** A plain write, as the registry does it. */
const update = (live: ConfigMap | undefined, next: object, manager: string, now = t1): ConfigMap => {
  const { object } = decodeObject(configMapKind, next);
  const managedFields = trackUpdate({ kind: configMapKind, live, updated: object, manager, now });
  const { managedFields: _sent, ...metadata } = object.metadata;
  return deepFreeze({ ...object, metadata: { ...metadata, ...(managedFields.length > 0 ? { managedFields } : {}) } });
};

const owners = (object: ConfigMap): Record<string, unknown> =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map(entry => [`${entry.manager}/${entry.operation}`, entry.fieldsV1]),
  );

const failure = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return error as Error & { status: { details?: { causes?: unknown } }; code: number; reason: string };
  }
  throw new Error('nothing was refused');
};

describe('server-side apply', () => {
  it('creates, with the applier as owner', () => {
    const made = applyMap(undefined, configMap({ a: '1' }, { labels: { x: 'y' } }), 'alice');
    expect(made.data).toEqual({ a: '1' });
    expect(made.metadata.managedFields).toEqual([
      {
        manager: 'alice',
        operation: 'Apply',
        apiVersion: 'v1',
        time: t1,
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:metadata': { 'f:labels': { 'f:x': {} } }, 'f:data': { 'f:a': {} } },
      },
    ]);
  });

  it('changes nothing, not even a time, when applied again', () => {
    const made = applyMap(undefined, configMap({ a: '1' }), 'alice');
    expect(applyMap(made, configMap({ a: '1' }), 'alice', { now: t2 })).toEqual(made);
  });

  it('removes what its manager no longer applies, and nothing else', () => {
    const one = applyMap(undefined, configMap({ a: '1', b: '2' }), 'alice');
    const two = applyMap(one, configMap({ c: '3' }), 'bob');
    const three = applyMap(two, configMap({ a: '1' }), 'alice', { now: t2 });
    expect(three.data).toEqual({ a: '1', c: '3' });
    const four = applyMap(three, configMap(undefined), 'bob');
    expect(four.data).toEqual({ a: '1' });
    expect(Object.keys(owners(four))).toEqual(['alice/Apply']);
  });

  it('keeps what another still owns: equal values are owned together', () => {
    const one = applyMap(undefined, configMap({ a: '1' }), 'alice');
    const both = applyMap(one, configMap({ a: '1' }), 'bob');
    expect(owners(both)).toEqual({
      'alice/Apply': { 'f:data': { 'f:a': {} } },
      'bob/Apply': { 'f:data': { 'f:a': {} } },
    });
    const left = applyMap(both, configMap(undefined), 'alice');
    expect(left.data).toEqual({ a: '1' });
    expect(applyMap(left, configMap(undefined), 'bob').data).toBeUndefined();
  });

  it('refuses to change what others own, in upstream words, and takes over with force', () => {
    const live = update(undefined, configMap({ a: '1', b: '2' }), 'mgr');
    const one = failure(() => applyMap(live, configMap({ a: '9' }), 'alice'));
    expect(one).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(one.message).toBe('Apply failed with 1 conflict: conflict with "mgr" using v1: .data.a');
    expect(one.status.details?.causes).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "mgr" using v1', field: '.data.a' },
    ]);
    const two = failure(() => applyMap(live, configMap({ a: '9', b: '9' }), 'alice'));
    expect(two.message).toBe('Apply failed with 2 conflicts: conflicts with "mgr" using v1:\n- .data.a\n- .data.b');
    const forced = applyMap(live, configMap({ a: '9', b: '2' }), 'alice', { force: true });
    expect(forced.data).toEqual({ a: '9', b: '2' });
    expect(owners(forced)).toEqual({
      'alice/Apply': { 'f:data': { 'f:a': {}, 'f:b': {} } },
      'mgr/Update': { 'f:data': { '.': {}, 'f:b': {} } },
    });
    const applier = applyMap(undefined, configMap({ a: '1' }), 'carol');
    expect(failure(() => applyMap(applier, configMap({ a: '2' }), 'alice')).message).toBe(
      'Apply failed with 1 conflict: conflict with "carol": .data.a',
    );
  });

  it('gives objects that were never tracked to before-first-apply', () => {
    const { object } = decodeObject(configMapKind, configMap({ a: '1' }));
    expect(failure(() => applyMap(object, configMap({ a: '2' }), 'alice')).message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
    );
    expect(applyMap(object, configMap({ b: '2' }), 'alice').data).toEqual({ a: '1', b: '2' });
  });

  it.each<[object, number, string]>([
    [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, spec: {}, data: { a: 1 } },
      500,
      'failed to create typed patch object (/m; /v1, Kind=ConfigMap): errors:\n  .spec: field not declared in schema\n  .data.a: expected string, got &value.valueUnstructured{Value:1}',
    ],
    [
      configMap(undefined, { foo: 1 }),
      500,
      'failed to create typed patch object (default/m; /v1, Kind=ConfigMap): .metadata.foo: field not declared in schema',
    ],
    [
      { ...configMap({}), apiVersion: 'v2' },
      400,
      'incorrect version specified in apply patch. Specified patch version: v2, expected: v1',
    ],
    [
      { ...configMap({}), kind: 'Secret' },
      400,
      'incorrect kind specified in apply patch. Specified patch kind: Secret, expected: ConfigMap',
    ],
    [configMap({}, { managedFields: [] }), 400, 'metadata.managedFields must be nil'],
  ])('refuses %j', (config, code, message) => {
    const error = failure(() => applyMap(undefined, config, 'alice'));
    expect(error.message).toBe(message);
    expect(error.code).toBe(code);
  });

  it('finds wrong and duplicate list items', () => {
    const pod = (spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'd' }, spec });
    const text = (spec: object) =>
      failure(() =>
        applyPatch({ kind: podKind, live: undefined, config: pod(spec), manager: 'a', force: false, now: t1 }),
      ).message;
    expect(text({ containers: [{ name: 'a' }, { name: 'a' }] })).toBe(
      'failed to create typed patch object (d/p; /v1, Kind=Pod): .spec.containers: duplicate entries for key [name="a"]',
    );
    expect(text({ containers: [{ image: 'a' }] })).toContain('omits key field "name"');
    expect(text({ containers: [{ name: 'a', ports: [{ containerPort: 'x' }] }] })).toContain(
      '.spec.containers[name="a"].ports[containerPort="x",protocol="TCP"].containerPort: expected numeric (int or float), got string',
    );
    expect(text({ containers: 'x' })).toContain('.spec.containers: expected list, got &{x}');
    expect(text({ securityContext: [{ b: 1, a: 'x' }] })).toContain('expected map, got &{[map[a:x b:1]]}');
    expect(text({ hostname: { b: [1.5, null], a: true } })).toContain(
      '.spec.hostname: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":true, "b":[]interface {}{1.5, interface {}(nil)}}}',
    );
    expect(text({ hostPID: 'yes', priority: [] })).toContain(
      'errors:\n  .spec.hostPID: expected boolean, got &value.valueUnstructured{Value:"yes"}\n  .spec.priority: expected numeric (int or float), got []interface {}',
    );
    expect(text({ overhead: { cpu: [1] } })).toContain('.spec.overhead.cpu: expected any scalar, got &{[1]}');
  });
});

describe('server-side apply of keyed lists', () => {
  const pod = (containers: object[], more: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'd' },
    spec: { containers, ...more },
  });
  const apply = (live: Pod | undefined, config: object, manager: string, force = false) =>
    deepFreeze(applyPatch({ kind: podKind, live, config, manager, force, now: t1 }));

  it('merges items by key, order kept between known neighbours', () => {
    const one = apply(
      undefined,
      pod([
        { name: 'a', image: '1' },
        { name: 'b', image: '1' },
      ]),
      'alice',
    );
    const two = apply(
      one,
      pod([
        { name: 'c', image: '1' },
        { name: 'b', env: [{ name: 'E' }] },
      ]),
      'bob',
    );
    expect(two.spec.containers.map(({ name }) => name)).toEqual(['a', 'c', 'b']);
    expect(two.spec.containers[2]).toEqual({ name: 'b', image: '1', env: [{ name: 'E' }] });
    const three = apply(two, pod([{ name: 'a', image: '1' }]), 'alice');
    expect(three.spec.containers).toEqual([
      { name: 'a', image: '1' },
      { name: 'c', image: '1' },
      { name: 'b', env: [{ name: 'E' }] },
    ]);
  });

  it('knows ports by number and defaulted protocol', () => {
    const one = apply(undefined, pod([{ name: 'a', ports: [{ containerPort: 80 }] }]), 'alice');
    expect(JSON.stringify(one.metadata.managedFields)).toContain(
      JSON.stringify('k:{"containerPort":80,"protocol":"TCP"}'),
    );
    const two = apply(one, pod([{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP', name: 'web' }] }]), 'alice');
    expect(two.spec.containers[0]?.ports).toEqual([{ containerPort: 80, protocol: 'TCP', name: 'web' }]);
  });

  it('owns atomic lists as a whole', () => {
    const one = apply(undefined, pod([{ name: 'a', args: ['x'] }]), 'alice');
    const error = failure(() => apply(one, pod([{ name: 'a', args: ['x', 'y'] }]), 'bob'));
    expect(error.message).toBe('Apply failed with 1 conflict: conflict with "alice": .spec.containers[name="a"].args');
  });

  it('sees no difference between spellings of one quantity', () => {
    const cpu = (value: string) => pod([{ name: 'a', resources: { requests: { cpu: value } } }]);
    const one = apply(undefined, cpu('500m'), 'alice');
    expect(apply(one, cpu('0.5'), 'bob').spec.containers[0]?.resources).toEqual({ requests: { cpu: '500m' } });
  });
});

describe('plain writes', () => {
  it('own what they change; others lose it', () => {
    const made = update(undefined, configMap({ a: '1', b: '1' }), 'one', t1);
    expect(owners(made)).toEqual({ 'one/Update': { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } } });
    const changed = update(made, configMap({ a: '2', c: '3' }), 'two', t2);
    expect(owners(changed)).toEqual({
      'one/Update': { 'f:data': {} },
      'two/Update': { 'f:data': { 'f:a': {}, 'f:c': {} } },
    });
    expect(changed.metadata.managedFields?.map(({ time }) => time)).toEqual([t1, t2]);
  });

  it('change no entry when nothing changes', () => {
    const made = update(undefined, configMap({ a: '1' }), 'one', t1);
    expect(update(made, configMap({ a: '1' }), 'two', t2).metadata.managedFields).toEqual(made.metadata.managedFields);
  });

  it('make an applier lose what they change, without a conflict', () => {
    const applied = applyMap(undefined, configMap({ a: '1' }), 'alice');
    const changed = update(applied, configMap({ a: '2' }), 'bob');
    expect(owners(changed)).toEqual({ 'bob/Update': { 'f:data': { 'f:a': {} } } });
  });

  it('reset the managed fields with one empty entry, and only so', () => {
    const made = update(undefined, configMap({ a: '1' }), 'one');
    const reset = update(made, configMap({ a: '1' }, { managedFields: [{}] }), 'two');
    expect(reset.metadata.managedFields).toBeUndefined();
    expect(update(reset, configMap({ a: '2' }), 'two').metadata.managedFields).toBeUndefined();
    const kept = update(made, configMap({ a: '1' }, { managedFields: [] }), 'two');
    expect(kept.metadata.managedFields).toEqual(made.metadata.managedFields);
  });

  it('own nothing that they will not store', () => {
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'a', image: 'i' }] },
    };
    const track = (live: Pod | undefined, updated: Pod, subresource?: string) =>
      trackUpdate({ kind: podKind, live, updated, manager: 'm', now: t1, subresource });
    const made = track(undefined, { ...pod, status: { phase: 'Running' } });
    expect(JSON.stringify(made)).not.toContain('f:status');
    const live: Pod = { ...pod, metadata: { name: 'p', managedFields: made }, status: { phase: 'Pending' } };
    expect(track(live, { ...pod, status: { phase: 'Running' } })).toEqual(made);
    const status = track(
      live,
      { ...pod, spec: { containers: [{ name: 'a', image: 'j' }] }, status: { phase: 'Running' } },
      'status',
    );
    expect(status.find(({ subresource }) => subresource === 'status')?.fieldsV1).toEqual({
      'f:status': { 'f:phase': {} },
    });
    expect(status.find(({ subresource }) => subresource === undefined)).toEqual(made[0]);
  });

  it('keep at most ten updaters', () => {
    let live: ConfigMap | undefined;
    for (let i = 0; i < 15; i++)
      live = update(
        live,
        configMap(Object.fromEntries(Array.from({ length: i + 1 }, (_, k) => [`k${k}`, '1']))),
        `m${i}`,
        `2026-11-21T20:00:${10 + i}Z`,
      );
    const entries = live?.metadata.managedFields as ManagedFieldsEntry[];
    expect(entries).toHaveLength(10);
    expect(entries.map(({ manager }) => manager)).toContain('ancient-changes');
  });

  it('through a subresource are kept apart from others of the same name', () => {
    const entry = trackUpdate({
      kind: podKind,
      live: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'p',
          managedFields: update(undefined, configMap({ a: '1' }), 'x').metadata.managedFields ?? [],
        },
        spec: { containers: [] },
      },
      updated: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', managedFields: [{} as ManagedFieldsEntry] },
        spec: { containers: [] },
        status: { phase: 'Running' },
      },
      manager: 'x',
      now: t2,
      subresource: 'status',
    });
    expect(entry.map(({ manager, subresource }) => [manager, subresource])).toEqual([
      ['x', undefined],
      ['x', 'status'],
    ]);
  });
});

describe('moving from client-side to server-side apply', () => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const csa = (data: Record<string, string>) =>
    configMap(data, { annotations: { [annotation]: `${JSON.stringify(configMap(data))}\n` } });

  it('follows the four requests of kubectl', () => {
    let live = update(undefined, csa({ a: '1', b: '2' }), 'kubectl-client-side-apply');
    // 1: apply by kubectl, with a change: the annotation allows it.
    live = applyMap(live, configMap({ a: '9', b: '2' }), 'kubectl');
    expect(live.data).toEqual({ a: '9', b: '2' });
    expect(live.metadata.annotations?.[annotation]).toContain('"a":"9"');
    // 2: the annotation alone, by its own manager: removes nothing.
    const text = live.metadata.annotations?.[annotation] ?? '';
    live = applyMap(live, configMap(undefined, { annotations: { [annotation]: text } }), 'kubectl-last-applied');
    expect(live.data).toEqual({ a: '9', b: '2' });
    // 3: a JSON patch hands the client-side manager's fields to the applier.
    const fields = live.metadata.managedFields ?? [];
    const moved = fields
      .filter(({ manager }) => manager !== 'kubectl-client-side-apply')
      .map(entry =>
        entry.manager === 'kubectl' ? { ...entry, fieldsV1: { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } } } : entry,
      );
    const patched = jsonPatch(nodeOf(configMapKind.schema), live, [
      { op: 'replace', path: '/metadata/managedFields', value: moved },
    ]);
    live = update(live, patched, 'kubectl');
    expect(Object.keys(owners(live)).sort()).toEqual(['kubectl-last-applied/Apply', 'kubectl/Apply']);
    // 4: applied again by force; what the manifest drops now is removed.
    live = applyMap(live, configMap({ a: '9' }), 'kubectl', { force: true });
    expect(live.data).toEqual({ a: '9' });
    expect(live.metadata.annotations).toHaveProperty([annotation]);
  });

  it('still conflicts where the annotation does not speak', () => {
    const made = update(undefined, csa({ a: '1' }), 'kubectl-client-side-apply');
    const live = update(made, { ...made, data: { a: '1', b: '5' } }, 'someone');
    expect(failure(() => applyMap(live, configMap({ b: '6' }), 'kubectl')).message).toBe(
      'Apply failed with 1 conflict: conflict with "someone" using v1: .data.b',
    );
  });
});

describe('properties of apply', () => {
  const apply = (live: Pod | undefined, config: object, manager: string) =>
    deepFreeze(applyPatch({ kind: podKind, live, config, manager, force: true, now: t1 }));
  const decoded = anyPod.map(pod => decodeObject(podKind, pod).object as unknown as Record<string, unknown>);
  const plain = (pod: Pod) => {
    const { managedFields: _managed, ...metadata } = pod.metadata;
    return { ...pod, metadata };
  };

  it('is idempotent', () => {
    fc.assert(
      fc.property(decoded, decoded, (a, b) => {
        const live = apply(apply(undefined, a, 'alice'), b, 'bob');
        expect(apply(live, b, 'bob')).toEqual(live);
      }),
      { numRuns: 300 },
    );
  });

  it('of a sole manager gives just its last configuration', () => {
    fc.assert(
      fc.property(decoded, decoded, (a, b) => {
        const live = apply(apply(undefined, a, 'alice'), b, 'alice');
        const fresh = apply(undefined, b, 'alice');
        // An item that was applied in another order keeps its place only among its known neighbours.
        expect(live).toEqual(fresh);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves no field of a manager that is not in the object, and applies all that the last one said', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(decoded, fc.constantFrom('alice', 'bob', 'carol')), { minLength: 1, maxLength: 5 }),
        steps => {
          let live: Pod | undefined;
          for (const [config, manager] of steps) live = apply(live, config, manager);
          const [last] = steps.at(-1)!;
          const again = apply(live, last, steps.at(-1)![1]);
          expect(plain(again)).toEqual(plain(live!));
          // When every manager gives up, nothing but the identity is left.
          const empty = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } };
          let rest = live!;
          for (const manager of ['alice', 'bob', 'carol']) rest = apply(rest, empty, manager);
          expect(rest).toEqual(empty);
        },
      ),
      { numRuns: 300 },
    );
  });
});
