/** Columns of the kinds of group coordination.k8s.io. */
import type { Column } from '#api/kind.ts';
import type { Lease } from '#api/kinds/coordination.ts';
import { ageColumn, nameColumn } from './standard.ts';

export const leaseColumns: readonly Column<Lease>[] = [
  nameColumn,
  {
    name: 'Holder',
    type: 'string',
    description: 'Who holds the lease.',
    cell: lease => lease.spec.holderIdentity ?? '',
  },
  ageColumn,
];
