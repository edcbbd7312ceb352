/** Columns of the kinds of group scheduling.k8s.io. */
import type { Column } from '#api/kind.ts';
import type { PriorityClass } from '#api/kinds/scheduling.ts';
import { ageColumn, nameColumn } from './standard.ts';

export const priorityClassColumns: readonly Column<PriorityClass>[] = [
  nameColumn,
  { name: 'Value', type: 'integer', description: 'The priority.', cell: priority => priority.value },
  {
    name: 'Global-Default',
    type: 'boolean',
    description: 'Whether pods that name no class get this one.',
    cell: priority => priority.globalDefault ?? false,
  },
  ageColumn,
  {
    name: 'PreemptionPolicy',
    type: 'string',
    description: 'Whether its pods may preempt pods of lower priority.',
    cell: priority => priority.preemptionPolicy ?? 'PreemptLowerPriority',
  },
];
