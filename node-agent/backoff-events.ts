/** The events of containers that have just begun to wait for a restart or for a pull; pure. */
import type { Container, Pod, PodStatus } from '#api/kinds/core.ts';
import { allContainers } from './pod-plan.ts';

export interface ContainerEvent {
  readonly container: Container | undefined;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

const statusesOf = (status: PodStatus | undefined) => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];

/** What changed for the worse between the status reported last and the present one. */
export const backoffEvents = (pod: Pod, before: PodStatus | undefined, now: PodStatus): readonly ContainerEvent[] => {
  const { name, namespace = '', uid = '' } = pod.metadata;
  const old = new Map(statusesOf(before).map(status => [status.name, status.state?.waiting?.reason]));
  return statusesOf(now).flatMap((status): ContainerEvent[] => {
    const reason = status.state?.waiting?.reason;
    if (reason === old.get(status.name)) return [];
    const container = allContainers(pod).find(candidate => candidate.name === status.name);
    const backOff = { container, reason: 'BackOff' } as const;
    if (reason === 'CrashLoopBackOff') {
      const message = `Back-off restarting failed container ${status.name} in pod ${name}_${namespace}(${uid})`;
      return [{ ...backOff, type: 'Warning', message }];
    }
    if (reason !== 'ImagePullBackOff') return [];
    return [
      { ...backOff, type: 'Normal', message: `Back-off pulling image "${container?.image ?? ''}"` },
      { container, type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff' },
    ];
  });
};
