/** The kind of group coordination.k8s.io: Lease, the heartbeat of nodes and the lock of leaders. */
import type { Static } from 'typebox';
import { leaseColumns } from '#api/columns/coordination.ts';
import { allVerbs, type Kind } from '#api/kind.ts';
import { field, int32, microTime, objectSchema, string, struct } from '#api/schema.ts';
import { validateLease } from '#api/validate-kinds.ts';
import { objectMetaSchema } from './meta.ts';

const leaseSpecSchema = struct(
  'io.k8s.api.coordination.v1.LeaseSpec',
  'Who holds the lease, and for how long.',
  {},
  {
    holderIdentity: string('Who holds it.'),
    leaseDurationSeconds: int32('Seconds after renewTime until others may take it.'),
    acquireTime: microTime('When it was taken.'),
    renewTime: microTime('When it was last renewed.'),
    leaseTransitions: int32('How often it changed hands.'),
    strategy: string('How a leader is chosen in coordinated election.'),
    preferredHolder: string('Who the holder should hand over to.'),
  },
);
export interface LeaseSpec extends Static<typeof leaseSpecSchema> {}
export const leaseSchema = objectSchema(
  { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', title: 'io.k8s.api.coordination.v1.Lease' },
  'A claim that must be renewed to be kept.',
  { metadata: objectMetaSchema, always: { spec: field(leaseSpecSchema, 'Who holds it, and for how long.') } },
);
export interface Lease extends Static<typeof leaseSchema> {}

export const leaseKind: Kind<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  schema: leaseSchema,
  columns: leaseColumns,
  selectable: {},
  hasStatus: false,
  hasGeneration: false,
  subresources: [],
  validate: validateLease,
};
