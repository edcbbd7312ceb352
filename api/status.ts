/**
 * Failures as Kubernetes words them. Code anywhere throws an ApiError; one place in the server turns it into an HTTP
 * response, and the HTTP client turns that response into the same ApiError again. Outcomes (a conflict of the store, a
 * pod that fits nowhere) are values, not errors. Texts follow apimachinery's api/errors and util/validation/field.
 */
import type { GroupVersionKind } from './kind.ts';
import { groupKind, groupResource } from './kind.ts';

export type CauseReason =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError'
  | 'FieldManagerConflict'
  | 'DisruptionBudget'
  | 'UnexpectedServerResponse';

/** One fault of one field; `field` is a path such as `spec.containers[0].image`. */
export interface Cause {
  readonly reason: CauseReason;
  readonly message: string;
  readonly field: string;
}

/** metav1.Status, as the API sends it. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, unknown>;
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: readonly Cause[];
    retryAfterSeconds?: number;
  };
  code?: number;
}

export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: Status;

  constructor(status: Omit<Status, 'kind' | 'apiVersion' | 'metadata' | 'status'> & { code: number; reason: string }) {
    super(status.message ?? status.reason);
    const { reason, ...rest } = status;
    // An unknown reason is left out, as Go's encoder does.
    const known = reason === '' ? {} : { reason };
    this.status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...known, ...rest };
  }

  get code(): number {
    return this.status.code ?? 500;
  }

  get reason(): string {
    return this.status.reason ?? '';
  }
}

/** True for an ApiError of that reason (`NotFound`, `Conflict`, …). */
export const isReason = (error: unknown, reason: string): error is ApiError =>
  error instanceof ApiError && error.reason === reason;

type Resource = Pick<GroupVersionKind, 'group'> & { readonly plural: string };
const detailsOf = (resource: Resource, name: string) => ({
  ...(name === '' ? {} : { name }),
  ...(resource.group === '' ? {} : { group: resource.group }),
  kind: resource.plural,
});

export const notFound = (resource: Resource, name: string): ApiError =>
  new ApiError({
    code: 404,
    reason: 'NotFound',
    message: `${groupResource(resource)} "${name}" not found`,
    details: detailsOf(resource, name),
  });

/** Every name that was made up for the object was taken. */
export const generatedNameTaken = (resource: Resource, generateName: string): ApiError =>
  new ApiError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${groupResource(resource)} ${JSON.stringify(generateName)} already exists, the server was not able to generate a unique name for the object`,
    details: { ...detailsOf(resource, generateName), retryAfterSeconds: 1 },
  });

export const alreadyExists = (resource: Resource, name: string): ApiError =>
  new ApiError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${groupResource(resource)} "${name}" already exists`,
    details: detailsOf(resource, name),
  });

export const conflict = (resource: Resource, name: string, why: string): ApiError =>
  new ApiError({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${groupResource(resource)} "${name}": ${why}`,
    details: detailsOf(resource, name),
  });

/** The Conflict of optimistic concurrency. */
export const modified = (resource: Resource, name: string): ApiError =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

export const forbidden = (resource: Resource, name: string, why: string): ApiError =>
  new ApiError({
    code: 403,
    reason: 'Forbidden',
    message: `${groupResource(resource)}${name === '' ? '' : ` "${name}"`} is forbidden: ${why}`,
    details: detailsOf(resource, name),
  });

export const unauthorized = (): ApiError =>
  new ApiError({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });

export const badRequest = (message: string): ApiError => new ApiError({ code: 400, reason: 'BadRequest', message });

export const methodNotSupported = (resource: Resource, verb: string): ApiError =>
  new ApiError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: `${verb} is not supported on resources of kind "${groupResource(resource)}"`,
    details: detailsOf(resource, ''),
  });

export const tooManyRequests = (message: string, causes: readonly Cause[] = [], retryAfterSeconds = 0): ApiError =>
  new ApiError({
    code: 429,
    reason: 'TooManyRequests',
    message,
    details: { ...(causes.length === 0 ? {} : { causes }), ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }) },
  });

/** The watch or list revision is gone: list again. */
export const expired = (message: string): ApiError => new ApiError({ code: 410, reason: 'Expired', message });

export const internalError = (message: string): ApiError =>
  new ApiError({
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ reason: 'InternalError', message, field: '' }] },
  });

export const unavailable = (message: string): ApiError =>
  new ApiError({ code: 503, reason: 'ServiceUnavailable', message });

/** All faults of an object at once; kubectl prints the causes, not the message. */
export const invalid = (
  kind: Pick<GroupVersionKind, 'group' | 'kind'>,
  name: string,
  causes: readonly Cause[],
): ApiError => {
  const faults = causes.map(cause => `${cause.field}: ${cause.message}`);
  return new ApiError({
    code: 422,
    reason: 'Invalid',
    message: `${groupKind(kind)} "${name}" is invalid: ${faults.length === 1 ? faults[0] : `[${faults.join(', ')}]`}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      ...(kind.kind === '' ? {} : { kind: kind.kind }),
      causes,
    },
  });
};

const shown = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'null');

export const required = (field: string, detail = ''): Cause => ({
  reason: 'FieldValueRequired',
  field,
  message: detail === '' ? 'Required value' : `Required value: ${detail}`,
});

export const invalidValue = (field: string, value: unknown, detail: string): Cause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${shown(value)}: ${detail}`,
});

export const notSupported = (field: string, value: unknown, supported: readonly string[]): Cause => ({
  reason: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${shown(value)}: supported values: ${[...supported].map(v => JSON.stringify(v)).join(', ')}`,
});

export const forbiddenField = (field: string, detail: string): Cause => ({
  reason: 'FieldValueForbidden',
  field,
  message: `Forbidden: ${detail}`,
});

export const duplicate = (field: string, value: unknown): Cause => ({
  reason: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${shown(value)}`,
});

export const tooLong = (field: string, maxBytes: number): Cause => ({
  reason: 'FieldValueTooLong',
  field,
  message: `Too long: may not be more than ${maxBytes} bytes`,
});
