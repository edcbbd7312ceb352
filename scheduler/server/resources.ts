/** The requests for resources: from the verb and the body to the registry, and back as object, list, table, stream or Status. */
import type { FastifyReply } from 'fastify';
import type { KubeObject } from '#api/object.ts';
import { ApiError, badRequest, invalid, methodNotSupported, notSupported } from '#api/status.ts';
import { parseIncludeObject } from '#api/table.ts';
import type { DeleteOptions } from '#client/client.ts';
import { getMetrics, isMetrics, listMetrics } from '#registry/metrics.ts';
import type { Selection } from '#registry/read.ts';
import type { Target, WriteContext } from '#registry/request.ts';
import { type AnswerOptions, sendItems, sendJson, sendList, sendObject, success, warningsFor } from './answer.ts';
import { readBody, readPatch } from './body.ts';
import { sendLog } from './logs.ts';
import { answerForm } from './negotiate.ts';
import { isTrue } from './request-info.ts';
import { bytesOf, type ResourceCall, whileConnected } from './requests.ts';
import { streamWatch } from './watch.ts';

export const handleResource = async (call: ResourceCall): Promise<FastifyReply | undefined> => {
  const { info, kind } = call;
  checkServed(call);
  if (info.subresource === 'log') return sendLog(call);
  if (info.subresource === 'exec' || info.subresource === 'attach') throw badRequest('Upgrade request required');
  if (isMetrics(kind)) return readMetrics(call);
  switch (info.verb) {
    case 'get':
      return sendObject(call.reply, 200, kind, call.deps.registry.get(kind, refOf(call)), answerOptions(call));
    case 'list':
      return list(call);
    case 'watch':
      return watch(call);
    case 'create':
      return info.name === undefined ? write(call, 'create') : post(call);
    case 'update':
    case 'patch':
      return write(call, info.verb);
    case 'delete':
      return remove(call);
    case 'deletecollection':
      return removeCollection(call);
  }
};

/** Throws NotFound or MethodNotAllowed for what the kind does not offer. */
const checkServed = ({ kind, info }: ResourceCall): void => {
  const { subresource, verb, name, namespace } = info;
  if (namespace !== undefined && !kind.namespaced) throw pathNotFound();
  if (subresource === undefined) {
    if (verb === 'create' && name !== undefined) throw methodNotSupported(kind, 'create');
    if ((verb === 'update' || verb === 'patch') && name === undefined) throw methodNotSupported(kind, verb);
    if (kind.namespaced && namespace === undefined && !['list', 'watch'].includes(verb))
      throw methodNotSupported(kind, verb);
    if (!kind.verbs.includes(verb)) throw methodNotSupported(kind, verb);
    return;
  }
  const offered = kind.subresources.find(({ name: offeredName }) => offeredName === subresource);
  if (offered === undefined) throw pathNotFound();
  if (!offered.verbs.includes(verb as never))
    throw methodNotSupported({ group: kind.group, plural: `${kind.plural}/${subresource}` }, verb);
};

export const pathNotFound = (): ApiError =>
  new ApiError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  });

const refOf = ({ info: { namespace, name } }: ResourceCall) => ({
  ...(namespace === undefined ? {} : { namespace }),
  name: name ?? '',
});

const targetOf = ({ kind, info }: ResourceCall): Target => ({
  kind,
  namespace: kind.namespaced ? info.namespace : undefined,
  name: info.name,
  subresource: info.subresource,
});

const answerOptions = ({ request, info, deps }: ResourceCall): AnswerOptions => ({
  form: answerForm(request.headers.accept, true),
  includeObject: parseIncludeObject(info.query.get('includeObject') ?? undefined),
  nowMs: deps.clock.now(),
});

const selectionOf = ({ info }: ResourceCall): Selection => ({
  namespace: info.namespace,
  labelSelector: info.query.get('labelSelector') ?? undefined,
  fieldSelector: info.query.get('fieldSelector') ?? undefined,
});

const list = (call: ResourceCall): FastifyReply => {
  const { query } = call.info;
  const page = call.deps.registry.list(call.kind, {
    ...selectionOf(call),
    limit: integerOf(query.get('limit'), 'limit'),
    continue: query.get('continue') ?? undefined,
    resourceVersion: query.get('resourceVersion') ?? undefined,
    resourceVersionMatch: query.get('resourceVersionMatch') ?? undefined,
  });
  return sendList(call.reply, call.kind, page, answerOptions(call));
};

/** Upstream ends watches after 30 to 60 minutes, so that clients spread over servers; one server may keep them longer. */
const watchMs = 60 * 60_000;

const watch = async (call: ResourceCall): Promise<undefined> => {
  const { deps, kind, reply } = call;
  const { query } = call.info;
  const seconds = integerOf(query.get('timeoutSeconds'), 'timeoutSeconds');
  const signal = AbortSignal.any([
    whileConnected(call),
    AbortSignal.timeout(seconds ? Math.min(seconds * 1000, watchMs) : watchMs),
  ]);
  const initial = query.get('sendInitialEvents');
  const events = deps.registry.watch(kind, {
    ...selectionOf(call),
    resourceVersion: query.get('resourceVersion') ?? undefined,
    resourceVersionMatch: query.get('resourceVersionMatch') ?? undefined,
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: initial === null ? undefined : isTrue(initial),
    signal,
  });
  const options = answerOptions(call);
  reply.hijack();
  deps.metrics.watchers.inc();
  try {
    await streamWatch(reply.raw, { kind, events, options, signal, now: () => deps.clock.now() });
  } finally {
    deps.metrics.watchers.dec();
  }
  return undefined;
};

const write = async (call: ResourceCall, verb: 'create' | 'update' | 'patch'): Promise<FastifyReply> => {
  const { request, reply, deps, kind } = call;
  const options = answerOptions(call);
  const context = contextOf(call);
  const bytes = bytesOf(request);
  const contentType = request.headers['content-type'];
  const strict = context.fieldValidation !== 'Ignore';
  const change =
    verb === 'patch'
      ? { verb, patch: readPatch(bytes, contentType) }
      : bodyChange(verb, await readBody(bytes, contentType, strict && bytes.length < duplicatesLimit));
  const { entry, created } = await deps.registry.write(targetOf(call), change, context);
  return sendObject(reply, created ? 201 : 200, kind, entry, options);
};

/** Longer bodies are not searched for keys given twice: that takes longer than all the rest. */
const duplicatesLimit = 64 * 1024;

const bodyChange = (verb: 'create' | 'update', body: { value: unknown; duplicateFields: readonly string[] }) => ({
  verb,
  body: body.value,
  duplicateFields: body.duplicateFields,
});

const post = async (call: ResourceCall): Promise<FastifyReply> => {
  const { kind, info, deps, request, reply } = call;
  const { value } = await readBody(bytesOf(request), request.headers['content-type']);
  const context = contextOf(call);
  if (kind.plural === 'pods' && info.subresource === 'binding') await deps.registry.bind(refOf(call), value, context);
  else if (kind.plural === 'pods' && info.subresource === 'eviction')
    await deps.registry.evict(refOf(call), value, context);
  else throw methodNotSupported(kind, 'create');
  return sendJson(reply, 201, success(undefined, 201));
};

const remove = async (call: ResourceCall): Promise<FastifyReply> => {
  const { kind, info, deps, reply } = call;
  const target = { ...targetOf(call), name: info.name ?? '' };
  const { entry, removed } = await deps.registry.remove(target, await deleteOptions(call), contextOf(call));
  const { metadata } = entry.value;
  // Upstream gives pods back as they were; of others it says only that they are gone.
  if (!removed || kind.plural === 'pods') return sendObject(reply, 200, kind, entry, answerOptions(call));
  return sendJson(
    reply,
    200,
    success({
      name: metadata.name,
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.plural,
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    }),
  );
};

const removeCollection = async (call: ResourceCall): Promise<FastifyReply> => {
  const { kind, deps, reply } = call;
  const options = await deleteOptions(call);
  const removed = await deps.registry.removeCollection(targetOf(call), selectionOf(call), options, contextOf(call));
  const items = removed.map(value => ({ value, text: JSON.stringify(value) }));
  return sendItems(reply, kind, items, { resourceVersion: String(deps.registry.store.rev) }, answerOptions(call));
};

const readMetrics = async (call: ResourceCall): Promise<FastifyReply> => {
  const { kind, info, deps, reply } = call;
  const options = answerOptions(call);
  const texted = (value: KubeObject) => ({ value, text: JSON.stringify(value) });
  if (info.verb === 'get')
    return sendObject(reply, 200, kind, texted(await getMetrics(deps.registry, kind, refOf(call))), options);
  if (info.verb !== 'list') throw methodNotSupported(kind, info.verb);
  const items = await listMetrics(deps.registry, kind, selectionOf(call));
  return sendItems(reply, kind, items.map(texted), {}, options);
};

/** Berth's own components and plain HTTP clients are not recorded in managedFields unless they name themselves. */
const anonymousAgents = /^(berth|undici|node|curl)?(\/|$)/;

const contextOf = ({ info: { query }, request, user, reply }: ResourceCall): WriteContext => {
  const validation = query.get('fieldValidation') || undefined;
  if (validation !== undefined && validation !== 'Strict' && validation !== 'Warn' && validation !== 'Ignore')
    throw optionsInvalid('fieldValidation', validation, ['Ignore', 'Strict', 'Warn']);
  const agent = request.headers['user-agent'] ?? '';
  const explicit = query.get('fieldManager') || undefined;
  return {
    user,
    // As upstream: a client that does not name itself is known by the first part of its User-Agent.
    fieldManager:
      explicit ??
      (anonymousAgents.test(agent) || isApply(request.headers['content-type']) ? undefined : agent.split('/')[0]),
    dryRun: dryRunOf(query.getAll('dryRun')),
    fieldValidation: validation,
    force: query.has('force') ? isTrue(query.get('force')) : undefined,
    warn: warningsFor(reply),
  };
};

const isApply = (contentType: string | undefined): boolean =>
  contentType?.startsWith('application/apply-patch') === true;

const dryRunOf = (values: readonly string[]): boolean => {
  const bad = values.find(value => value !== 'All' && value !== '');
  if (bad !== undefined) throw optionsInvalid('dryRun', bad, ['All']);
  return values.includes('All');
};

const optionsInvalid = (field: string, value: string, supported: readonly string[]): ApiError =>
  invalid({ group: 'meta.k8s.io', kind: 'CreateOptions' }, '', [notSupported(field, value, supported)]);

/** From the body, or from the query when there is none. */
const deleteOptions = async ({ request, info: { query } }: ResourceCall): Promise<DeleteOptions> => {
  const bytes = bytesOf(request);
  const body = (
    bytes.length > 0 ? (await readBody(bytes, request.headers['content-type'])).value : fromQuery(query)
  ) as DeleteBody;
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun } = body;
  if (gracePeriodSeconds != null && !Number.isInteger(gracePeriodSeconds))
    throw badRequest(`gracePeriodSeconds must be a whole number, not ${JSON.stringify(gracePeriodSeconds)}`);
  if (propagationPolicy != null && !policies.includes(propagationPolicy))
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [
      notSupported('propagationPolicy', propagationPolicy, policies),
    ]);
  const policy =
    propagationPolicy ?? (orphanDependents == null ? undefined : orphanDependents ? 'Orphan' : 'Background');
  return {
    ...(gracePeriodSeconds == null ? {} : { gracePeriodSeconds }),
    ...(policy === undefined ? {} : { propagationPolicy: policy as NonNullable<DeleteOptions['propagationPolicy']> }),
    ...(preconditions == null ? {} : { preconditions }),
    dryRun: dryRunOf(dryRun ?? []),
  };
};

interface DeleteBody {
  readonly gracePeriodSeconds?: number | null;
  readonly propagationPolicy?: string | null;
  readonly orphanDependents?: boolean | null;
  readonly preconditions?: { uid?: string; resourceVersion?: string } | null;
  readonly dryRun?: readonly string[] | null;
}

const policies: readonly string[] = ['Background', 'Foreground', 'Orphan'];

const fromQuery = (query: URLSearchParams): DeleteBody => ({
  gracePeriodSeconds: integerOf(query.get('gracePeriodSeconds'), 'gracePeriodSeconds') ?? null,
  propagationPolicy: query.get('propagationPolicy'),
  orphanDependents: query.has('orphanDependents') ? isTrue(query.get('orphanDependents')) : null,
});

const integerOf = (text: string | null, parameter: string): number | undefined => {
  if (text === null || text === '') return undefined;
  if (!/^-?\d{1,15}$/.test(text))
    throw badRequest(
      `unable to decode the query parameter ${parameter}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
};
