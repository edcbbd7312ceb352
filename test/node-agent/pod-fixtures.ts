/** Small pods and engine containers for tests of the pure parts. */

import { label, type PodSeen, sortSeen, specHash } from '#agent/names.ts';
import type { ContainerSeen } from '#agent/runtime.ts';
import type { Container, Pod, PodSpec, PodStatus } from '#api/kinds/core.ts';
import { startMs } from '#test/virtual.ts';

export const container = (name: string, more: Partial<Container> = {}): Container =>
  ({ name, image: `${name}:1`, resources: {}, ...more }) as Container;

export const pod = (
  spec: Partial<PodSpec> = {},
  more: { metadata?: Partial<Pod['metadata']>; status?: PodStatus } = {},
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: 'uid-1', resourceVersion: '1', ...more.metadata },
  spec: { containers: [container('app')], restartPolicy: 'Always', ...spec } as PodSpec,
  ...(more.status ? { status: more.status } : {}),
});

export const seenSandbox = (attempt = 0, more: Partial<ContainerSeen> = {}): ContainerSeen =>
  seen('POD', attempt, {
    labels: { [label.type]: 'podsandbox', [label.restartCount]: String(attempt) },
    id: `sandbox-${attempt}`,
    ip: '10.0.0.1',
    ...more,
  });

export const seen = (
  name: string,
  attempt: number,
  more: Partial<ContainerSeen> = {},
  sandboxId = 'sandbox-0',
): ContainerSeen => ({
  id: `${name}-${attempt}`,
  name: `k8s_${name}_web_default_uid-1_${attempt}`,
  image: `${name}:1`,
  imageId: `sha256:${name}`,
  labels: {
    [label.type]: 'container',
    [label.containerName]: name,
    [label.restartCount]: String(attempt),
    [label.sandboxId]: sandboxId,
    [label.specHash]: specHash({ name, image: `${name}:1` }),
  },
  phase: 'running',
  pid: 1,
  exitCode: 0,
  oomKilled: false,
  error: '',
  createdAtMs: startMs + attempt,
  startedAtMs: startMs + attempt,
  finishedAtMs: 0,
  ip: '',
  stopSignal: 'SIGTERM',
  ...more,
});

export const exited = (
  exitCode: number,
  finishedAtMs: number,
  more: Partial<ContainerSeen> = {},
): Partial<ContainerSeen> => ({
  phase: 'exited',
  pid: 0,
  exitCode,
  finishedAtMs,
  ...more,
});

export const shown = (...all: readonly ContainerSeen[]): PodSeen => sortSeen(all);
