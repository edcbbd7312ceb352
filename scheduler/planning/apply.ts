/** Applies objects of manifests to a rehearsal, as `apply` would to the cluster, and makes the pods that they stand for. */
import { groupVersion, type Kind } from '#api/kind.ts';
import { podKind } from '#api/kinds/core.ts';
import type { Pod } from '#api/kinds/pod.ts';
import type { KubeObject, ObjectRef } from '#api/object.ts';
import { ApiError } from '#api/status.ts';
import { deepEqual } from '#base/deep.ts';
import type { WriteOptions } from '#client/client.ts';
import { controllerOf, type Maker, makerOf, type PodDraft } from '#engine/plan/makers.ts';
import type { PlannedObject } from '#engine/plan.ts';
import { isOver, podKey } from '#engine/world.ts';
import type { Rehearsal } from './rehearsal.ts';

export interface Wanted {
  readonly kind: Kind;
  /** As in the manifest, with its namespace; not decoded yet. */
  readonly object: KubeObject;
  readonly source: string;
  /** The patch that `apply` would send for the object that is there; empty: none. */
  patchFrom(live: KubeObject): Readonly<Record<string, unknown>>;
}

/** A pod that the manifests bring. */
export interface Arrival {
  readonly pod: Pod;
  readonly change: 'new' | 'replaced';
}

/** What applying objects came to, added up. */
export interface Applied {
  readonly objects: PlannedObject[];
  readonly arrivals: Arrival[];
  readonly removed: { readonly pod: Pod; readonly why: string }[];
  /** Pods that could not even be made, by what makes them. */
  readonly unmade: { readonly owner: string; readonly pod: string; readonly message: string }[];
  readonly notes: Set<string>;
}

export const nothingApplied = (): Applied => ({
  objects: [],
  arrivals: [],
  removed: [],
  unmade: [],
  notes: new Set(),
});

/** Applies one object; throws what the server would answer. */
export const applyTo = async (
  rehearsal: Rehearsal,
  applied: Applied,
  wanted: Wanted,
  options: WriteOptions,
): Promise<void> => {
  const { kind, object, source } = wanted;
  const { namespace, name } = object.metadata;
  const ref: ObjectRef = namespace === undefined ? { name } : { namespace, name };
  const head = { apiVersion: groupVersion(kind), kind: kind.kind, ...ref };
  const say = (change: PlannedObject['change'], note?: string): void =>
    void applied.objects.push({ ...head, change, source, ...(note === undefined ? {} : { note }) });
  const was = rehearsal.get(kind, ref);
  if (was === undefined) {
    const made = await rehearsal.create(kind, object, options);
    say('created');
    return arrive(rehearsal, applied, made, 'new');
  }
  const body = wanted.patchFrom(was);
  if (Object.keys(body).length === 0) {
    say('unchanged');
    // Its pods may still be missing.
    const maker = makerOf(was);
    return maker && makePods(rehearsal, applied, { maker, now: was, was });
  }
  try {
    const now = await rehearsal.patch(kind, ref, { type: 'strategic', body }, options);
    say('configured');
    const maker = makerOf(now);
    if (maker !== undefined) await makePods(rehearsal, applied, { maker, now, was });
  } catch (error) {
    if (!isPod(was) || !(error instanceof ApiError) || error.reason !== 'Invalid') throw error;
    await rehearsal.remove(kind, ref);
    const made = await rehearsal.create(kind, object, options);
    applied.removed.push({ pod: was, why: 'replaced' });
    say('replaced', `apply refuses this change of a pod: delete the pod first, or use kubectl replace --force`);
    await arrive(rehearsal, applied, made, 'replaced');
  }
};

const isPod = (object: KubeObject): object is Pod => object.apiVersion === 'v1' && object.kind === podKind.kind;

const arrive = async (
  rehearsal: Rehearsal,
  applied: Applied,
  made: KubeObject,
  change: Arrival['change'],
): Promise<void> => {
  if (isPod(made)) applied.arrivals.push({ pod: made, change });
  const maker = makerOf(made);
  if (maker !== undefined) await makePods(rehearsal, applied, { maker, now: made, was: undefined });
};

interface Made {
  readonly maker: Maker;
  readonly now: KubeObject;
  readonly was: KubeObject | undefined;
}

const makePods = async (rehearsal: Rehearsal, applied: Applied, { maker, now, was }: Made): Promise<void> => {
  const { uid = '', name, namespace = 'default' } = now.metadata;
  const owner = `${maker.kind}/${name}`;
  if (!maker.runs)
    applied.notes.add(
      `Berth does not run the controller of ${maker.kind}s yet: applied now, none of its pods is made.`,
    );
  const { pods } = await rehearsal.state();
  const own = pods.filter(
    pod => controllerOf(pod)?.uid === uid && !isOver(pod) && pod.metadata.deletionTimestamp === undefined,
  );
  const hasNewTemplate = was !== undefined && !deepEqual(templateOf(was), templateOf(now));
  const { create, remove } = maker.make(now as never, own, hasNewTemplate);
  const names = new Set(create.map(draft => draft.name));
  for (const pod of remove) {
    const why = names.has(pod.metadata.name) ? `replaced by ${owner}` : `scaled down by ${owner}`;
    applied.removed.push({ pod, why });
    await rehearsal.remove(podKind as unknown as Kind, { namespace, name: pod.metadata.name });
  }
  const isAgain = new Set(remove.map(({ metadata }) => metadata.name));
  for (const draft of create) {
    try {
      const pod = await rehearsal.create(podKind, podOf(draft, maker, now));
      applied.arrivals.push({ pod, change: isAgain.has(pod.metadata.name) ? 'replaced' : 'new' });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const pod = `${namespace}/${draft.name ?? `${draft.generateName}?`}`;
      applied.unmade.push({ owner, pod, message: error.message });
    }
  }
};

const templateOf = (object: KubeObject): unknown => (object as { spec?: { template?: unknown } }).spec?.template;

const podOf = ({ name, generateName, labels, annotations, spec }: PodDraft, maker: Maker, owner: KubeObject): Pod => {
  const { namespace = 'default', uid = '' } = owner.metadata;
  const reference = { apiVersion: maker.apiVersion, kind: maker.kind, name: owner.metadata.name, uid };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: name ?? '',
      ...(generateName === undefined ? {} : { generateName }),
      namespace,
      labels: { ...labels },
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ownerReferences: [{ ...reference, controller: true, blockOwnerDeletion: true }],
    },
    spec: { ...spec } as Pod['spec'],
  };
};

/** Keys of the pods that the manifests bring. */
export const arrivingKeys = ({ arrivals }: Applied): ReadonlySet<string> =>
  new Set(arrivals.map(({ pod }) => podKey(pod)));
