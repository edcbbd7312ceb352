/** Logs of a pod's container, through the engine's log API, with the choices and refusals of the kubelet. */

import type { Container, Pod } from '#api/kinds/core.ts';
import type { LogRequest } from '#api/node-calls.ts';
import { badRequest } from '#api/status.ts';
import { type Clock, fromTime, type Signal } from '#base/clock.ts';
import { createStop } from '#base/stop.ts';
import type { PodSeen } from './names.ts';
import type { ContainerRuntime, ContainerSeen } from './runtime.ts';

/**
 * The engine container whose log is meant: with `previous` the attempt before the present one; throws BadRequest in
 * the kubelet's words where there is none.
 */
export const logSource = (pod: Pod, container: Container, seen: PodSeen, previous: boolean): ContainerSeen => {
  const [newest, before] = seen.containers.get(container.name) ?? [];
  const status = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].find(
    candidate => candidate.name === container.name,
  );
  const waitsAgain = status?.state?.waiting !== undefined && newest !== undefined && newest.phase !== 'running';
  if (previous) {
    // While an ended container waits for its restart, it is the previous one itself.
    const found = waitsAgain ? newest : before;
    if (found) return found;
    throw badRequest(`previous terminated container "${container.name}" in pod "${pod.metadata.name}" not found`);
  }
  if (newest && newest.phase !== 'created') return newest;
  if (newest && before) return before;
  if (newest && (newest.error !== '' || newest.exitCode !== 0)) return newest;
  const reason = status?.state?.waiting?.reason ?? 'ContainerCreating';
  const why = /^(ErrImagePull|ImagePullBackOff)$/.test(reason) ? 'trying and failing to pull image' : reason;
  throw badRequest(`container "${container.name}" in pod "${pod.metadata.name}" is waiting to start: ${why}`);
};

/** Sends the log; ends with the container (follow), at the limit, or when `signal` aborts. */
export const streamLog = async (
  deps: { readonly runtime: ContainerRuntime; readonly clock: Clock },
  source: ContainerSeen,
  request: LogRequest,
  send: (chunk: Uint8Array) => Promise<void>,
  signal: Signal,
): Promise<void> => {
  const enough = createStop(signal);
  let left = request.limitBytes ?? Number.POSITIVE_INFINITY;
  const limited = async (chunk: Uint8Array) => {
    if (left <= 0) return;
    const part = chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= part.length;
    await send(part);
    if (left <= 0) enough.stop();
  };
  const sinceMs = sinceOf(request, deps.clock.now());
  await deps.runtime.logs(
    source.id,
    {
      follow: request.follow && source.phase === 'running',
      timestamps: request.timestamps,
      stdout: request.stream !== 'Stderr',
      stderr: request.stream !== 'Stdout',
      ...(request.tailLines === undefined ? {} : { tailLines: request.tailLines }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
    },
    limited,
    enough.signal,
  );
};

const sinceOf = (request: LogRequest, nowMs: number): number | undefined => {
  if (request.sinceTime !== undefined) return fromTime(request.sinceTime);
  return request.sinceSeconds === undefined ? undefined : nowMs - request.sinceSeconds * 1000;
};
