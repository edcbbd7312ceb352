/** What every request to the registry says about itself: who asks, for which object, with which options. */
import type { Kind } from '#api/kind.ts';
import type { ManagedFieldsEntry, ObjectMeta } from '#api/object.ts';

export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}

/** The user of everything that runs inside the server's own process. */
export const systemUser: User = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

/** The resource that a request is for; `name` is absent at create. */
export interface Target {
  readonly kind: Kind;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

export interface WriteContext {
  readonly user: User;
  /** Absent: changes are not recorded in managedFields (Berth's own components). */
  readonly fieldManager?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined;
  /** Server-side apply only. */
  readonly force?: boolean | undefined;
  /** Takes each warning for the client. */
  warn(text: string): void;
}

/** An object whose metadata the registry may change. */
export interface Draft {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta & { managedFields?: ManagedFieldsEntry[] };
  spec?: unknown;
  status?: unknown;
  [field: string]: unknown;
}
