/** The pods that fault tests run: of one busybox container that does next to nothing and ends at once when it is told to. */
import type { Container, Pod, PodSpec } from '#api/kinds/core.ts';
import { podKind } from '#api/kinds/core.ts';
import type { Client } from '#client/client.ts';
import { until } from './berth.ts';

export const image = 'busybox:1.28';
export const idle = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

export const idlePod = (name: string, container: Partial<Container> = {}, spec: Partial<PodSpec> = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 2,
      containers: [{ name: 'app', image, command: ['sh', '-c', idle], ...container }],
      ...spec,
    },
  }) as Pod;

/** Waits until the pod runs; gives its container's status. */
export const running = (client: Client, name: string, seconds = 60) =>
  until(
    `pod ${name} runs`,
    async () => {
      const { status } = await client.get(podKind, { namespace: 'default', name });
      return status?.phase === 'Running' && status.containerStatuses![0]!;
    },
    seconds,
  );

/** Deletes all pods of the namespace default and waits until they are gone. */
export const deleteAllPods = async (client: Client): Promise<void> => {
  const { items } = await client.list(podKind, { namespace: 'default' });
  for (const { metadata } of items) await client.remove(podKind, { namespace: 'default', name: metadata.name });
  await until(
    'all pods are gone',
    async () => (await client.list(podKind, { namespace: 'default' })).items.length === 0,
  );
};
