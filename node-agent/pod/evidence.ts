/** What is gathered of a container that has ended: was it an OOM kill, and what did it want to say. */
import type { Container, Pod } from '#api/kinds/core.ts';
import { wholeValue } from '#api/quantity.ts';
import { createStop } from '#base/stop.ts';
import { containerPath, isOomProven } from '../container/cgroup-plan.ts';
import { terminationLogOf } from '../container/mounts.ts';
import { attemptOf, label } from '../names.ts';
import { type ContainerSeen, isFault } from '../runtime.ts';
import { tellOomEnd } from './oom.ts';
import type { Change } from './pod-actions.ts';
import type { PodDeps } from './pod-deps.ts';
import { instanceMemory, type PodMemory, withInstance } from './pod-memory.ts';

/** kubelet's limits: 4096 bytes of the file, or 80 lines and 2048 bytes of the log. */
const maxMessageBytes = 4096;
const maxLogLines = 80;
const maxLogBytes = 2048;

export const settle = async (
  deps: PodDeps,
  pod: Pod,
  container: Container,
  seen: ContainerSeen,
  memory: PodMemory,
): Promise<Change> => {
  const oom = await wasOom(deps, pod, container, seen, memory);
  const terminationMessage = await messageOf(deps, pod, container, seen);
  const settled: Change = now =>
    withInstance(now, seen.id, { settled: true, terminationMessage, ...(oom ? { oom: true } : {}) });
  const told = await tellOomEnd(deps, pod, container, seen, settled(memory));
  return now => told(settled(now));
};

const wasOom = async (
  deps: PodDeps,
  pod: Pod,
  container: Container,
  seen: ContainerSeen,
  memory: PodMemory,
): Promise<boolean> => {
  // Without the label it was created while cgroups were not ours to read.
  if (!deps.enforcesCgroups || seen.labels[label.cgroup] === undefined) return false;
  const { cgroups } = deps.machine;
  const after = await cgroups.evidence(containerPath(deps.owner, pod, container.name));
  const limit = container.resources?.limits?.['memory'];
  const kills = instanceMemory(memory, seen.id).killsBefore ?? after.kills;
  return isOomProven(cgroups.version, { kills }, after, {
    limitBytes: limit === undefined ? 0 : wholeValue(limit),
    exitCode: seen.exitCode,
  });
};

const messageOf = async (deps: PodDeps, pod: Pod, container: Container, seen: ContainerSeen): Promise<string> => {
  const file = terminationLogOf(deps.dataDir, pod.metadata.uid ?? '', container.name, attemptOf(seen));
  const written = await deps.machine.files.readText(file, maxMessageBytes).catch(() => '');
  if (written !== '' || seen.exitCode === 0 || container.terminationMessagePolicy !== 'FallbackToLogsOnError')
    return written;
  return tailOf(deps, seen.id).catch((error: unknown) => {
    if (isFault(error, 'unavailable')) throw error;
    return `cannot read the container's log: ${(error as Error).message}`;
  });
};

const tailOf = async (deps: PodDeps, id: string): Promise<string> => {
  let text = '';
  const options = { follow: false, timestamps: false, tailLines: maxLogLines, stdout: true, stderr: true };
  const collect = async (chunk: Uint8Array) => {
    text = (text + deps.machine.files.decodeText(chunk)).slice(-maxLogBytes);
  };
  await deps.runtime.logs(id, options, collect, createStop().signal);
  return text;
};
