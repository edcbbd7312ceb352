/** Which change in the cluster can make which parked pod fit (SEMANTICS F.2, queueing hints). */
import type { Columns } from '../columns/columns.ts';
import type { ClusterChange } from '../plugin.ts';
import type { Profile } from '../profile.ts';
import type { PodView } from '../shapes/shape.ts';

/** True when one of the plugins that refused the pod may now think differently. */
export const mayHelp = (
  pod: PodView,
  refusedBy: readonly string[],
  change: ClusterChange,
  { columns, profile }: { readonly columns: Columns; readonly profile: Profile },
): boolean => {
  // Refused by nobody: there was no node at all.
  if (refusedBy.length === 0) return change.type === 'nodeAdded';
  for (const { name, wokenBy } of profile.filters) {
    if (!refusedBy.includes(name)) continue;
    if (wokenBy[change.type]?.(pod, change, columns) === true) return true;
  }
  return false;
};
