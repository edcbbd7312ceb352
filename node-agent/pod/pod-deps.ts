/** Everything that carrying out a pod's actions takes; made once per agent (agent.ts) and shared by all workers. */
import type { Container, Pod } from '#api/kinds/core.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import type { Recorder } from '#client/events.ts';
import type { Rejection } from '../admission.ts';
import type { DownwardFacts } from '../container/downward.ts';
import type { NodeLimits } from '../container/host-config.ts';
import type { ImagePuller } from '../container/image-puller.ts';
import type { ReferenceStore } from '../container/references.ts';
import type { Limiter } from '../limiter.ts';
import type { Machine } from '../machine.ts';
import type { Owner } from '../names.ts';
import type { Observer } from '../observed.ts';
import type { ContainerRuntime } from '../runtime.ts';
import type { MachinePolicy } from './pod-plan.ts';

export interface PodDeps {
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly machine: Machine;
  readonly observer: Observer;
  readonly references: ReferenceStore;
  readonly images: ImagePuller;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly owner: Owner;
  readonly limits: NodeLimits;
  readonly policy: MachinePolicy;
  /** Creations and starts at once on this engine: about twice its cores (DOCKER-FACTS §1.1). */
  readonly starts: Limiter;
  /** Pods that are cleaned up at once. */
  readonly removals: Limiter;
  /** Where the agent keeps volumes, and the same place as the engine's host names it. */
  readonly dataDir: string;
  readonly hostDataDir: string;
  readonly network: string;
  readonly hostIP: string;
  /** Pods get cgroups of their own. */
  readonly enforcesCgroups: boolean;
  /** Variables of services, for containers of a namespace. */
  serviceEnv(pod: Pod): Readonly<Record<string, string>>;
  allocatable(): Readonly<Record<string, string>>;
  /** Whether the node takes the pod beside those it has. */
  admit(pod: Pod): Rejection | undefined;
}

export const downwardFacts = (deps: PodDeps, podIP: string): DownwardFacts => ({
  nodeName: deps.owner.node,
  hostIP: deps.hostIP,
  podIP,
  allocatable: deps.allocatable(),
});

/** Records an event about the pod, or with `container` about that part of it. */
export const podEvent = (
  deps: PodDeps,
  pod: Pod,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  container?: Container,
): void => {
  const isInit = container !== undefined && (pod.spec.initContainers ?? []).some(({ name }) => name === container.name);
  const more = container ? { fieldPath: `spec.${isInit ? 'initContainers' : 'containers'}{${container.name}}` } : {};
  deps.recorder.event(pod, type, reason, message, more);
};

/** Waits for `work`, but not beyond the abort of `signal`: then undefined. */
export const unlessAborted = <T>(work: Promise<T>, signal: Signal): Promise<T | undefined> => {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const abort = () => resolve(undefined);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
};
