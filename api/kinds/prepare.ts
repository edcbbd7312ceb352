/** What the server sets when an object is created or replaced, whatever the client wrote: the first status, and what only it may change. */
import { qosClass } from '#api/qos.ts';
import { appArmorAnnotationPrefix } from '#api/warnings-pod.ts';
import type { Namespace } from './config.ts';
import type { Pod } from './pod.ts';

const namespaceFinalizer = 'kubernetes';

/** Pending, with its class of service; held back from scheduling while it has gates. */
export const preparePod = (pod: Pod): void => {
  adoptAppArmorAnnotations(pod);
  const isGated = (pod.spec.schedulingGates ?? []).length > 0;
  pod.status = { phase: 'Pending', qosClass: qosClass(pod) };
  if (isGated)
    pod.status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ];
};

/** What old manifests say by annotation, said by the field that the agent and PodSecurity read (upstream, too). */
const adoptAppArmorAnnotations = ({ metadata: { annotations = {} }, spec }: Pod): void => {
  // Not yet validated: a pod may lack what its type promises.
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const profile = annotations[appArmorAnnotationPrefix + container.name];
    if (profile === undefined || container.securityContext?.appArmorProfile !== undefined) continue;
    const field = appArmorField(profile);
    if (field !== undefined) container.securityContext = { ...container.securityContext, appArmorProfile: field };
  }
};

const appArmorField = (profile: string): { type: string; localhostProfile?: string } | undefined => {
  if (profile === 'runtime/default') return { type: 'RuntimeDefault' };
  if (profile === 'unconfined') return { type: 'Unconfined' };
  const local = /^localhost\/(.+)$/.exec(profile)?.[1];
  return local === undefined ? undefined : { type: 'Localhost', localhostProfile: local };
};

export const prepareNamespace = (namespace: Namespace): void => {
  const finalizers = namespace.spec.finalizers ?? [];
  namespace.spec.finalizers = finalizers.includes(namespaceFinalizer)
    ? finalizers
    : [...finalizers, namespaceFinalizer];
  namespace.status = { phase: 'Active' };
};

/** Finalizers of a namespace change through the finalize subresource only. */
export const prepareNamespaceUpdate = (namespace: Namespace, old: Namespace): void => {
  namespace.spec = { ...old.spec };
};
