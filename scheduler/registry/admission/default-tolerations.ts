/** DefaultTolerationSeconds: a pod stays 300 seconds on a node that is not ready or unreachable, unless it says otherwise. */
import { podKind } from '#api/kinds/core.ts';
import type { Pod } from '#api/kinds/pod.ts';
import type { Admitted } from './admission.ts';

const tolerationSeconds = 300;
const notReady = 'node.kubernetes.io/not-ready';
const unreachable = 'node.kubernetes.io/unreachable';

/** On updates too, as upstream: an apply that leaves them out would otherwise take them away, which a pod may not. */
export const addDefaultTolerations = ({ verb, kind, subresource, object }: Admitted): void => {
  if (verb === 'delete' || kind !== podKind || subresource !== undefined) return;
  const { spec } = object as Pod;
  const present = spec.tolerations ?? [];
  const missing = [notReady, unreachable].filter(
    key =>
      !present.some(
        toleration =>
          (toleration.key === key || !toleration.key) && (toleration.effect === 'NoExecute' || !toleration.effect),
      ),
  );
  if (missing.length === 0) return;
  const added = missing.map(key => ({
    key,
    operator: 'Exists' as const,
    effect: 'NoExecute' as const,
    tolerationSeconds,
  }));
  spec.tolerations = [...present, ...added];
};
