/**
 * What a request for a resource says beside its object: the options of reading, writing and deleting, from query and body.
 * What cannot be is refused in upstream's words (apimachinery's validation of CreateOptions, ListOptions and so on).
 */
import { decodeValue } from '#api/decode.ts';
import { deleteOptionsSchema } from '#api/kinds/meta.ts';
import { nodeOf } from '#api/schema.ts';
import {
  type ApiError,
  badRequest,
  type Cause,
  forbiddenField,
  invalid,
  invalidValue,
  notSupported,
  tooLong,
} from '#api/status.ts';
import type { DeleteOptions } from '#client/client.ts';
import type { ListRequest, Selection, WatchRequest } from '#registry/read.ts';
import type { WriteContext } from '#registry/request.ts';
import { warningsFor } from './answer.ts';
import { readBody } from './body.ts';
import { mediaType } from './negotiate.ts';
import { isTrue, type RequestVerb } from './request-info.ts';
import { bytesOf, type ResourceCall } from './requests.ts';

export const selectionOf = ({ info }: ResourceCall): Selection => ({
  namespace: info.namespace,
  labelSelector: info.query.get('labelSelector') ?? undefined,
  fieldSelector: info.query.get('fieldSelector') ?? undefined,
});

/** Throws BadRequest or Invalid. */
export const listRequest = (call: ResourceCall): ListRequest => {
  const { query } = call.info;
  if (isTrue(query.get('sendInitialEvents')))
    throw refused('ListOptions', [forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list')]);
  return {
    ...selectionOf(call),
    limit: integerOf(query.get('limit'), 'limit'),
    continue: query.get('continue') ?? undefined,
    resourceVersion: query.get('resourceVersion') ?? undefined,
    resourceVersionMatch: query.get('resourceVersionMatch') ?? undefined,
  };
};

/** Upstream ends watches after 30 to 60 minutes, so that clients spread over servers; one server may keep them longer. */
const watchMs = 60 * 60_000;

export interface WatchOptions extends Omit<WatchRequest, 'signal'> {
  readonly timeoutMs: number;
}

/** Throws BadRequest. */
export const watchOptions = (call: ResourceCall): WatchOptions => {
  const { query } = call.info;
  const seconds = integerOf(query.get('timeoutSeconds'), 'timeoutSeconds');
  const initial = query.get('sendInitialEvents');
  return {
    ...selectionOf(call),
    resourceVersion: query.get('resourceVersion') ?? undefined,
    resourceVersionMatch: query.get('resourceVersionMatch') ?? undefined,
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: initial === null ? undefined : isTrue(initial),
    timeoutMs: seconds ? Math.min(Math.max(seconds, 0) * 1000, watchMs) : watchMs,
  };
};

/** Berth's own components are not recorded in managedFields unless they name themselves. */
const ownAgents = /^(berth)?(\/|$)/;

const optionsKinds: Readonly<Partial<Record<RequestVerb, string>>> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
};

/** Throws Invalid for options that cannot be. */
export const writeContext = ({ info: { query, verb }, request, user, reply }: ResourceCall): WriteContext => {
  const isApply = mediaType(request.headers['content-type']).startsWith('application/apply-patch');
  const validation = query.get('fieldValidation') ?? '';
  const explicit = query.get('fieldManager') || undefined;
  const force = query.get('force');
  const causes = [
    ...(force !== null && verb === 'patch' && !isApply
      ? [forbiddenField('force', 'may not be specified for non-apply patch')]
      : []),
    ...managerFaults(explicit ?? ''),
    ...dryRunFaults(query.getAll('dryRun')),
    ...(validations.includes(validation) ? [] : [notSupported('fieldValidation', validation, validations)]),
  ];
  if (causes.length > 0) throw refused(optionsKinds[verb] ?? 'DeleteOptions', causes);
  const agent = request.headers['user-agent'] ?? '';
  return {
    user,
    // As upstream: a client that does not name itself is known by the first part of its User-Agent.
    fieldManager: explicit ?? (isApply || ownAgents.test(agent) ? undefined : agent.split('/')[0]),
    dryRun: query.has('dryRun'),
    fieldValidation: (validation || undefined) as WriteContext['fieldValidation'],
    force: force === null ? undefined : isTrue(force),
    warn: warningsFor(reply),
  };
};

const validations: readonly string[] = ['', 'Ignore', 'Strict', 'Warn'];
const maxManagerBytes = 128;

const managerFaults = (manager: string): readonly Cause[] => {
  const causes: Cause[] = [];
  if (Buffer.byteLength(manager) > maxManagerBytes) causes.push(tooLong('fieldManager', maxManagerBytes));
  let at = 0;
  for (const character of manager) {
    if (!/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
      causes.push(invalidValue('fieldManager', manager, `invalid character U+${code} (at position ${at})`));
    }
    at += Buffer.byteLength(character);
  }
  return causes;
};

const dryRunFaults = (values: readonly string[]): readonly Cause[] =>
  values.every(value => value === 'All') ? [] : [notSupported('dryRun', values, ['All'])];

const refused = (kind: string, causes: readonly Cause[]): ApiError =>
  invalid({ group: 'meta.k8s.io', kind }, '', causes);

/** From the body, or from the query when there is none; a dry run is one if either says so. */
export const deleteOptions = async (call: ResourceCall, warn: (text: string) => void): Promise<DeleteOptions> => {
  const { request, info } = call;
  const bytes = bytesOf(request);
  const options =
    bytes.length === 0
      ? fromQuery(info.query)
      : decodeDeleteOptions((await readBody(bytes, request.headers['content-type'], { kind })).value, warn);
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun = [] } = options;
  const causes = [
    ...(orphanDependents !== undefined && propagationPolicy !== undefined
      ? [
          invalidValue(
            'propagationPolicy',
            propagationPolicy,
            'orphanDependents and deletionPropagation cannot be both set',
          ),
        ]
      : []),
    ...(propagationPolicy === undefined || policies.includes(propagationPolicy)
      ? []
      : [notSupported('propagationPolicy', propagationPolicy, [...policies, 'nil'])]),
    ...dryRunFaults(dryRun),
  ];
  if (causes.length > 0) throw refused(kind, causes);
  const policy =
    propagationPolicy ?? (orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background');
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(policy === undefined ? {} : { propagationPolicy: policy as NonNullable<DeleteOptions['propagationPolicy']> }),
    ...(preconditions === undefined ? {} : { preconditions }),
    dryRun: dryRun.length > 0 || info.query.has('dryRun'),
  };
};

const kind = 'DeleteOptions';
const policies: readonly string[] = ['Foreground', 'Background', 'Orphan'];

interface DeleteBody {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly preconditions?: { uid?: string; resourceVersion?: string };
  readonly dryRun?: readonly string[];
}

/** Every group version of the API takes them, so only the kind is looked at. */
const decodeDeleteOptions = (json: unknown, warn: (text: string) => void): DeleteBody => {
  const { value, unknownFields } = decodeValue({ kind, version: 'v1' }, nodeOf(deleteOptionsSchema), json);
  const options = value as DeleteBody;
  if (options.kind !== undefined && options.kind !== kind)
    throw badRequest(
      `${options.kind} in version ${JSON.stringify(options.apiVersion ?? 'v1')} cannot be handled as a ${kind}`,
    );
  for (const field of unknownFields) warn(`unknown field ${JSON.stringify(field)}`);
  return options;
};

const fromQuery = (query: URLSearchParams): DeleteBody => {
  const grace = integerOf(query.get('gracePeriodSeconds'), 'gracePeriodSeconds');
  const policy = query.get('propagationPolicy');
  return {
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(policy ? { propagationPolicy: policy } : {}),
    ...(query.has('orphanDependents') ? { orphanDependents: isTrue(query.get('orphanDependents')) } : {}),
    dryRun: query.getAll('dryRun'),
  };
};

const integerOf = (text: string | null, parameter: string): number | undefined => {
  if (text === null || text === '') return undefined;
  if (!/^[-+]?\d{1,15}$/.test(text))
    throw badRequest(
      `unable to decode the query parameter ${parameter}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
};
