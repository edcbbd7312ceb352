/**
 * Carries out what pod-machine.ts decides to make (pod-cleanup.ts: to remove). Every action may be repeated, finds what an earlier try (or an agent that
 * was killed) left behind, and returns how the pod's memory changes. Failures that belong to the pod become memory and
 * events; only an engine that does not answer is thrown on.
 */
import type { Container, Pod } from '#api/kinds/core.ts';
import { wholeValue } from '#api/quantity.ts';
import type { Signal } from '#base/clock.ts';
import { containerCgroupLimits, containerPath, podCgroupLimits, podPath } from '../container/cgroup-plan.ts';
import { containerSpec, sandboxSpec } from '../container/container-spec.ts';
import { ConfigError, environment } from '../container/env.ts';
import { UnworkableResources } from '../container/host-config.ts';
import { withTag } from '../container/image-policy.ts';
import { mountsOf } from '../container/mounts.ts';
import { ensurePauseImage, pauseImage } from '../container/pause-image.ts';
import { podNetworkFault } from '../container/pod-network.ts';
import { memoryVolumeName, planVolumes, VolumeError, type VolumePlan, writeVolumes } from '../container/volumes.ts';
import { label, podLabels } from '../names.ts';
import { type ContainerSeen, type ContainerSpec, isFault, RuntimeError } from '../runtime.ts';
import { downwardFacts, type PodDeps, podEvent, unlessAborted } from './pod-deps.ts';
import { containerMemory, failed, type PodMemory, withContainer, withInstance, withPod } from './pod-memory.ts';
import { type Action, allContainers } from './pod-plan.ts';

/** How the pod's memory changes. */
export type Change = (memory: PodMemory) => PodMemory;

/**
 * kubelet's delays: of failed mounts 0.5 s to 2 min, of everything else a sync each 10 s; sooner at first for what may
 * be the engine's passing weakness.
 */
const mountDelays = { firstMs: 500, mostMs: 122_000 };
export const syncDelays = { firstMs: 1000, mostMs: 10_000 };
export const configDelays = { firstMs: 10_000, mostMs: 10_000 };

const unchanged: Change = memory => memory;

const volumePlans = (deps: PodDeps, pod: Pod, podIP: string): readonly VolumePlan[] =>
  planVolumes({
    pod,
    references: deps.references.in(pod.metadata.namespace ?? ''),
    facts: downwardFacts(deps, podIP),
    memoryBytes: memoryVolumeLimit(deps, pod),
  });

/** A memory volume without a limit may hold what its pod may use, or all that the node gives (upstream). */
const memoryVolumeLimit = (deps: PodDeps, pod: Pod): number => {
  const limits = pod.spec.containers.map(container => container.resources?.limits?.['memory']);
  const all = limits.every(limit => limit !== undefined)
    ? limits.reduce((sum, limit) => sum + wholeValue(limit!), 0)
    : 0;
  return all > 0 ? all : wholeValue(deps.allocatable()['memory'] ?? '1Gi');
};

/** Sets up the pod's volumes, once what they refer to is known; also brings changed ones up to date. */
export const setUpVolumes = async (deps: PodDeps, pod: Pod, podIP: string, signal: Signal): Promise<Change> => {
  try {
    await unlessAborted(deps.references.hold(pod), signal);
    if (signal.aborted) return unchanged;
    const { machine, runtime, dataDir } = deps;
    const volumes = { files: machine.files, runtime, dataDir, labels: podLabels(deps.owner, pod) };
    await writeVolumes(volumes, pod, volumePlans(deps, pod, podIP));
    return memory => withPod(memory, { volumesReady: true, volumeFailure: undefined });
  } catch (error) {
    if (isFault(error, 'unavailable')) throw error;
    const volume = error instanceof VolumeError ? error.volume : '';
    const message = `MountVolume.SetUp failed for volume "${volume}" : ${(error as Error).message}`;
    podEvent(deps, pod, 'Warning', 'FailedMount', message);
    return memory =>
      withPod(memory, {
        volumeFailure: failed(memory.volumeFailure, 'FailedMount', message, deps.clock.now(), mountDelays),
      });
  }
};

interface Made {
  readonly id: string;
  /** It was made now and not found: nobody but us has had it in hand. */
  readonly isFresh: boolean;
  /** It waits for its first start. */
  readonly isUnstarted: boolean;
}

/**
 * Creates the container, or takes the one of its name when that was made for the same purpose: by a request of ours whose
 * answer was lost, or of the agent before us. Such a one may run by now, or have run: it is that attempt, and a second
 * one in its place would run the attempt twice.
 */
const createOrAdopt = async (deps: PodDeps, spec: ContainerSpec): Promise<Made> => {
  const create = async (): Promise<Made> => ({
    id: await deps.runtime.create(spec),
    isFresh: true,
    isUnstarted: true,
  });
  try {
    return await create();
  } catch (error) {
    if (!isFault(error, 'conflict')) throw error;
    const found = await deps.runtime.inspect(spec.name);
    if (found && isSamePurpose(found, spec))
      return { id: found.id, isFresh: false, isUnstarted: found.phase === 'created' && found.error === '' };
    if (found && found.labels[label.podUid] !== spec.labels[label.podUid]) throw error;
    if (found) await deps.runtime.remove(found.id);
    return create();
  }
};

const isSamePurpose = (found: ContainerSeen, spec: ContainerSpec): boolean =>
  [label.podUid, label.specHash, label.sandboxId].every(key => found.labels[key] === spec.labels[key]);

const prepareCgroups = async (deps: PodDeps, pod: Pod): Promise<void> => {
  if (!deps.enforcesCgroups) return;
  const { cgroups } = deps.machine;
  const path = podPath(deps.owner, pod.metadata.uid ?? '');
  await cgroups.apply(path, podCgroupLimits(pod, deps.limits.cpuCeilingMilli));
  for (const container of allContainers(pod)) {
    const own = containerPath(deps.owner, pod, container.name);
    if (own.length > path.length) await cgroups.apply(own, containerCgroupLimits(container));
  }
};

export const createSandbox = async (deps: PodDeps, pod: Pod, attempt: number): Promise<Change> => {
  if (attempt > 0)
    podEvent(deps, pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
  const held = volumePlans(deps, pod, '').filter(plan => plan.kind === 'memory');
  const uid = pod.metadata.uid ?? '';
  const spec = sandboxSpec(pod, attempt, {
    owner: deps.owner,
    image: pauseImage,
    network: deps.network,
    limits: deps.limits,
    cgroupParent: deps.enforcesCgroups ? deps.machine.cgroups.parentOf(podPath(deps.owner, uid)) : undefined,
    heldVolumes: held.map(plan => memoryVolumeName(uid, plan.name)),
  });
  try {
    const fault = podNetworkFault(pod, deps.network);
    if (fault !== undefined) throw new RuntimeError('invalid', fault);
    await prepareCgroups(deps, pod);
    await deps.starts.run(async () => {
      const { id, isUnstarted } = await createOrAdopt(deps, spec).catch(async (error: unknown) => {
        if (!isFault(error, 'notFound')) throw error;
        // Somebody removed the pause image.
        await ensurePauseImage(deps.runtime, (await deps.runtime.info()).architecture);
        return createOrAdopt(deps, spec);
      });
      try {
        if (isUnstarted) await deps.runtime.start(id);
      } finally {
        await deps.observer.look(id);
      }
    });
    return memory => withPod(memory, { sandboxFailure: undefined });
  } catch (error) {
    if (isFault(error, 'unavailable')) throw error;
    const message = `Failed to create pod sandbox: ${(error as Error).message}`;
    podEvent(deps, pod, 'Warning', 'FailedCreatePodSandBox', message);
    return memory =>
      withPod(memory, {
        sandboxFailure: failed(memory.sandboxFailure, 'FailedCreatePodSandBox', message, deps.clock.now(), syncDelays),
      });
  }
};

type CreateAction = Extract<Action, { do: 'create' }>;

/** Creates an attempt of a container and starts it. */
export const createContainer = async (
  deps: PodDeps,
  pod: Pod,
  sandbox: ContainerSeen,
  action: CreateAction,
): Promise<Change> => {
  const { container, crash } = action;
  try {
    const { spec, kills } = await specFor(deps, pod, sandbox, action);
    return await deps.starts.run(async () => {
      const { id, isFresh, isUnstarted } = await createOrAdopt(deps, spec);
      if (isFresh) podEvent(deps, pod, 'Normal', 'Created', 'Container created', container);
      const started = isUnstarted ? await startContainer(deps, pod, container, id) : unchanged;
      if (!isUnstarted) await deps.observer.look(id);
      return memory => {
        const forgotten = withContainer(memory, container.name, {
          image: undefined,
          imageFailure: undefined,
          createFailure: undefined,
          crash,
        });
        return started(isFresh ? withInstance(forgotten, id, { killsBefore: kills }) : forgotten);
      };
    });
  } catch (error) {
    if (isFault(error, 'unavailable')) throw error;
    return createFailed(deps, pod, container, error);
  }
};

const createFailed = (deps: PodDeps, pod: Pod, container: Container, error: unknown): Change => {
  const isConfig = error instanceof ConfigError;
  const isImage = isFault(error, 'notFound');
  const message = (error as Error).message;
  podEvent(deps, pod, 'Warning', 'Failed', `Error: ${message}`, container);
  if (!isConfig && !(error instanceof UnworkableResources) && !(error instanceof RuntimeError))
    deps.log.warn({ err: error, pod: pod.metadata.name, container: container.name }, 'creating a container failed');
  return memory =>
    withContainer(memory, container.name, {
      createFailure: failed(
        containerMemory(memory, container.name).createFailure,
        isConfig ? 'CreateContainerConfigError' : 'CreateContainerError',
        message,
        deps.clock.now(),
        isConfig ? configDelays : syncDelays,
      ),
      // The image went away between looking and creating: get it again.
      ...(isImage ? { image: undefined } : {}),
    });
};

const specFor = async (
  deps: PodDeps,
  pod: Pod,
  sandbox: ContainerSeen,
  { container, attempt, crash }: CreateAction,
): Promise<{ spec: ContainerSpec; kills: number }> => {
  const { machine, owner } = deps;
  const podIP = pod.spec.hostNetwork ? deps.hostIP : sandbox.ip;
  const env = environment({
    pod,
    container,
    references: deps.references.in(pod.metadata.namespace ?? ''),
    facts: downwardFacts(deps, podIP),
    services: deps.serviceEnv(pod),
    decode: machine.files.decodeBase64,
  });
  const name = container.image ?? '';
  const image = deps.images.lastFound(name) ?? (await deps.runtime.image(withTag(name)));
  if (!image) throw new RuntimeError('notFound', `No such image: ${container.image}`);
  const plans = volumePlans(deps, pod, podIP);
  const { dataDir, hostDataDir } = deps;
  const mounts = await mountsOf(pod, container, { files: machine.files, dataDir, hostDataDir, plans, env, attempt });
  const path = containerPath(owner, pod, container.name);
  const enforced = deps.enforcesCgroups;
  const spec = containerSpec(pod, container, {
    owner,
    limits: deps.limits,
    sandboxId: sandbox.id,
    attempt,
    backoffMs: crash?.delayMs ?? 0,
    cgroupParent: enforced ? machine.cgroups.parentOf(path) : undefined,
    cgroup: enforced ? path.join('/') : '',
    env,
    image,
    mounts,
  });
  if (!enforced) return { spec, kills: 0 };
  await machine.cgroups.resetPeak(path).catch(async () => {
    // The groups have gone with a restart of the machine.
    await prepareCgroups(deps, pod);
    await machine.cgroups.resetPeak(path);
  });
  return { spec, kills: (await machine.cgroups.evidence(path)).kills };
};

export const startContainer = async (deps: PodDeps, pod: Pod, container: Container, id: string): Promise<Change> => {
  try {
    await deps.runtime.start(id);
    await deps.observer.look(id);
    podEvent(deps, pod, 'Normal', 'Started', 'Container started', container);
    return unchanged;
  } catch (error) {
    if (isFault(error, 'unavailable')) throw error;
    const message = (error as Error).message;
    await deps.observer.look(id);
    podEvent(deps, pod, 'Warning', 'Failed', `Error: ${message}`, container);
    return memory => withInstance(memory, id, { startFailure: message, failedAtMs: deps.clock.now() });
  }
};
