/** Columns of the kinds of group policy. */
import type { Column } from '#api/kind.ts';
import type { PodDisruptionBudget } from '#api/kinds/policy.ts';
import { ageColumn, nameColumn } from './standard.ts';

export const podDisruptionBudgetColumns: readonly Column<PodDisruptionBudget>[] = [
  nameColumn,
  {
    name: 'Min Available',
    type: 'string',
    description: 'Pods that must stay available.',
    cell: budget => `${budget.spec.minAvailable ?? 'N/A'}`,
  },
  {
    name: 'Max Unavailable',
    type: 'string',
    description: 'Pods that may be unavailable.',
    cell: budget => `${budget.spec.maxUnavailable ?? 'N/A'}`,
  },
  {
    name: 'Allowed Disruptions',
    type: 'integer',
    description: 'Pods that may be evicted now.',
    cell: budget => budget.status?.disruptionsAllowed ?? 0,
  },
  ageColumn,
];
