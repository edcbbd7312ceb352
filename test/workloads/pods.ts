/** Pods for the workloads that workloads.json describes in words: what they say, on the template that asks for nothing. */
import type { Pod, PodSpec } from '#api/kinds/core.ts';
import { podFrom } from './templates.ts';

export interface PodParts {
  readonly labels?: Readonly<Record<string, string>>;
  readonly requests?: Readonly<Record<string, string>>;
  readonly hostPort?: number;
  readonly priority?: number;
  readonly spec?: Partial<PodSpec>;
}

/** Its grace is none, as without agents nobody would end it. */
export const podOf = (
  name: string,
  { labels = {}, requests = {}, hostPort, priority = 0, spec = {} }: PodParts,
): Pod => {
  const pod = podFrom('pod-light', name);
  const ports = hostPort === undefined ? {} : { ports: [{ containerPort: hostPort, hostPort }] };
  const containers = [{ ...pod.spec.containers[0]!, resources: { requests }, ...ports }];
  return { ...pod, metadata: { ...pod.metadata, labels }, spec: { ...pod.spec, containers, priority, ...spec } };
};

/** What an agent writes that has granted `cpu` to the pod's container, and has not yet given or taken it. */
export const granted = ({ spec }: Pod, cpu: string): object => ({
  status: {
    containerStatuses: spec.containers.map(({ name, image, resources }) => ({
      name,
      image,
      imageID: '',
      ready: true,
      restartCount: 0,
      allocatedResources: { cpu },
      resources: { requests: { cpu: resources?.requests?.['cpu'] ?? '0' } },
    })),
  },
});
