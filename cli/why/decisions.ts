/** What the server remembers beside objects: the scheduler's decisions and its configuration. A server may have neither. */
import { isReason } from '#api/status.ts';
import type { DecisionRecord } from '#engine/decision.ts';
import type { Api } from '../api.ts';
import type { ConfigurationSource } from '../local/scheduler-config.ts';

/** Oldest first; undefined when the server keeps no decisions, or gives them only to others. */
export const readDecisions = async (
  api: Api,
  pod: { namespace: string; name: string; uid?: string },
): Promise<readonly DecisionRecord[] | undefined> => {
  const query = { namespace: pod.namespace, pod: pod.name, ...(pod.uid === undefined ? {} : { uid: pod.uid }) };
  const answer = await optional(() =>
    api.send<{ items: DecisionRecord[] }>({ path: '/apis/berth.dev/v1/decisions', query }),
  );
  return answer?.items;
};

/** The KubeSchedulerConfiguration that the scheduler runs with, as its file was when it started; undefined: the default. */
export const readConfiguration = (api: Api): Promise<ConfigurationSource | undefined> =>
  optional(() => api.send<ConfigurationSource>({ path: '/apis/berth.dev/v1/schedulerconfiguration' }));

const optional = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await read();
  } catch (error) {
    if (isReason(error, 'NotFound') || isReason(error, 'Forbidden')) return undefined;
    throw error;
  }
};
