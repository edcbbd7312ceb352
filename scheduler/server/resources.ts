/** The requests for resources: from the verb and the body to the registry, and back as object, list, table, stream or Status. */
import type { FastifyReply } from 'fastify';
import { decodeObject, strictProblems } from '#api/decode.ts';
import { bindingSchema } from '#api/kinds/config.ts';
import { evictionSchema } from '#api/kinds/policy.ts';
import type { KubeObject } from '#api/object.ts';
import { ApiError, badRequest, methodNotSupported } from '#api/status.ts';
import { parseIncludeObject } from '#api/table.ts';
import { getMetrics, isMetrics, listMetrics } from '#registry/metrics.ts';
import type { Target } from '#registry/request.ts';
import { type AnswerOptions, sendItems, sendJson, sendList, sendObject, success } from './answer.ts';
import { type Body, readBody, readPatch } from './body.ts';
import { sendLog } from './logs.ts';
import { negotiate } from './negotiate.ts';
import { deleteOptions, listRequest, selectionOf, watchOptions, writeContext } from './options.ts';
import { bytesOf, type ResourceCall, whileConnected } from './requests.ts';
import { streamWatch } from './watch.ts';

/** What is posted to a pod and kept nowhere. */
const bindingForm = { group: '', version: 'v1', kind: 'Binding', schema: bindingSchema };
const evictionForm = { group: 'policy', version: 'v1', kind: 'Eviction', schema: evictionSchema };

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
  if (subresource !== undefined) {
    const offered = kind.subresources.find(({ name: offeredName }) => offeredName === subresource);
    if (offered === undefined) throw pathNotFound();
    if (!offered.verbs.includes(verb as never)) throw methodNotAllowed();
    return;
  }
  // Lists are there for all of them, so upstream says of a kind what it cannot do.
  if (verb === 'watch' && !kind.verbs.includes(verb)) throw methodNotSupported(kind, verb);
  const needsName = verb === 'update' || verb === 'patch';
  const ofAll = kind.namespaced && namespace === undefined && verb !== 'list' && verb !== 'watch';
  if (
    ofAll ||
    !kind.verbs.includes(verb) ||
    (verb === 'create' && name !== undefined) ||
    (needsName && name === undefined)
  )
    throw methodNotAllowed();
};

export const pathNotFound = (): ApiError =>
  new ApiError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  });

/** As upstream answers a method that the path does not have. */
const methodNotAllowed = (): ApiError =>
  new ApiError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
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
  ...negotiate(request.headers.accept, info.verb === 'watch'),
  includeObject: parseIncludeObject(info.query.get('includeObject') ?? undefined),
  nowMs: deps.clock.now(),
});

const list = (call: ResourceCall): FastifyReply =>
  sendList(call.reply, call.kind, call.deps.registry.list(call.kind, listRequest(call)), answerOptions(call));

const watch = async (call: ResourceCall): Promise<undefined> => {
  const { deps, kind, reply } = call;
  const { timeoutMs, ...request } = watchOptions(call);
  const options = answerOptions(call);
  const signal = AbortSignal.any([whileConnected(call), AbortSignal.timeout(timeoutMs)]);
  const events = deps.registry.watch(kind, { ...request, signal });
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
  const context = writeContext(call);
  const bytes = bytesOf(request);
  const contentType = request.headers['content-type'];
  const strict = context.fieldValidation !== 'Ignore';
  const change =
    verb === 'patch'
      ? { verb, ...readPatch(bytes, contentType, strict) }
      : bodyChange(verb, await readBody(bytes, contentType, { kind: kind.kind, strict }));
  const { entry, created } = await deps.registry.write(targetOf(call), change, context);
  return sendObject(reply, created ? 201 : 200, kind, entry, options);
};

const bodyChange = (verb: 'create' | 'update', { value, strictFaults }: Body) => ({ verb, body: value, strictFaults });

const post = async (call: ResourceCall): Promise<FastifyReply> => {
  const { kind, info, deps, request, reply } = call;
  const { subresource } = info;
  if (kind.plural !== 'pods' || (subresource !== 'binding' && subresource !== 'eviction')) throw methodNotAllowed();
  const context = writeContext(call);
  const form = subresource === 'binding' ? bindingForm : evictionForm;
  const { value } = await readBody(bytesOf(request), request.headers['content-type'], form);
  const { object, unknownFields } = decodeObject(form, value);
  for (const problem of strictProblems(unknownFields, [])) context.warn(problem);
  if (subresource === 'binding') await deps.registry.bind(refOf(call), object, context);
  else await deps.registry.evict(refOf(call), object, context);
  return sendJson(reply, 201, success(undefined, 201));
};

const remove = async (call: ResourceCall): Promise<FastifyReply> => {
  const { kind, info, deps, reply } = call;
  const target = { ...targetOf(call), name: info.name ?? '' };
  const context = writeContext(call);
  const { entry, removed } = await deps.registry.remove(target, await deleteOptions(call, context.warn), context);
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
  const context = writeContext(call);
  const options = await deleteOptions(call, context.warn);
  const removed = await deps.registry.removeCollection(targetOf(call), selectionOf(call), options, context);
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
