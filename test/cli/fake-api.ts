/**
 * A small API over plain HTTP that kubectl too accepts: enough to see what a command line asks for and prints. Objects
 * are kept as they come; nothing is defaulted or validated unless a test says what to answer (`answer`).
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Answer,
  type FakeObject,
  type FakeResource,
  groupVersion,
  meta,
  resources,
  rootOf,
} from './fake-api-kinds.ts';

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  contentType: string;
}

export interface FakeApi {
  readonly url: string;
  /** What was asked, in order, discovery and OpenAPI left out. */
  readonly asked: Asked[];
  /** Put in without a request. */
  add(...objects: FakeObject[]): void;
  remove(kind: string, name: string): void;
  find(kind: string, name: string): FakeObject | undefined;
  /** Answers requests before the fake does; undefined leaves them to it, `never` leaves them without an answer. */
  answer: (asked: Asked) => Answer | 'never' | undefined;
  close(): Promise<void>;
}

export const startFakeApi = async (): Promise<FakeApi> => {
  const objects = new Map<string, FakeObject>();
  const watches = new Set<(type: string, resource: FakeResource, object: FakeObject) => void>();
  const asked: Asked[] = [];
  let revision = 100;
  const key = (r: FakeResource, namespace: string | undefined, name: string) =>
    `${r.group}/${r.plural}/${namespace ?? ''}/${name}`;
  const put = (r: FakeResource, object: FakeObject): FakeObject => {
    const at = key(r, object.metadata.namespace, object.metadata.name);
    const type = objects.has(at) ? 'MODIFIED' : 'ADDED';
    const uid = object.metadata.uid ?? `uid-${++revision}`;
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(++revision) } };
    objects.set(at, stored);
    for (const watch of watches) watch(type, r, stored);
    return stored;
  };
  const drop = (r: FakeResource, at: string) => {
    const object = objects.get(at)!;
    objects.delete(at);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(++revision) } };
    for (const watch of watches) watch('DELETED', r, last);
  };
  const resourceOf = (kind: string) => resources.find(r => r.kind === kind)!;

  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', chunk => chunks.push(chunk as Buffer));
    request.on('end', () => {
      const url = new URL(request.url!, 'http://fake');
      const text = Buffer.concat(chunks).toString('utf8');
      const accept = request.headers.accept ?? '';
      const one: Asked = {
        method: request.method!,
        path: url.pathname,
        query: url.searchParams,
        body: text.startsWith('{') ? JSON.parse(text) : text,
        contentType: request.headers['content-type'] ?? '',
      };
      const known = meta(one.path, accept);
      if (!known) asked.push(one);
      const said = known ?? api.answer(one) ?? handle(one, accept, response);
      if (said === 'streaming' || said === 'never') return;
      response.writeHead(said.code ?? 200, { 'content-type': 'application/json', ...said.headers });
      response.end(said.text ?? JSON.stringify(said.body));
    });
  });

  const handle = (one: Asked, accept: string, response: http.ServerResponse): Answer | 'streaming' => {
    const r = resources.find(
      candidate => one.path.startsWith(`${rootOf(candidate)}/`) && segments(candidate, one.path),
    );
    if (!r) return status(404, 'NotFound', 'the server could not find the requested resource');
    const { namespace, name, sub } = segments(r, one.path)!;
    const missing = () =>
      status(404, 'NotFound', `${r.plural}${r.group ? `.${r.group}` : ''} "${name}" not found`, {
        name,
        kind: r.plural,
        group: r.group || undefined,
      });
    const at = key(r, namespace, name ?? '');
    const asTable = accept.includes('as=Table');
    if (sub === 'log') return { text: 'one\ntwo\n', headers: { 'content-type': 'text/plain' } };
    if (one.method === 'GET' && name === undefined) {
      const fits = (object: FakeObject) => matches(object, namespace, one.query);
      if (one.query.get('watch') === 'true') {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.flushHeaders();
        const watch = (type: string, changed: FakeResource, object: FakeObject) => {
          if (changed === r && fits(object))
            response.write(`${JSON.stringify({ type, object: asTable ? table(r, [object]) : object })}\n`);
        };
        if (one.query.get('resourceVersion') === '0' || !one.query.has('resourceVersion')) {
          for (const [k, object] of objects) if (k.startsWith(`${r.group}/${r.plural}/`)) watch('ADDED', r, object);
        }
        watches.add(watch);
        response.on('close', () => watches.delete(watch));
        return 'streaming';
      }
      const found = [...objects]
        .filter(([k, object]) => k.startsWith(`${r.group}/${r.plural}/`) && fits(object))
        .map(([, object]) => object);
      if (asTable) return { body: table(r, found, one.query.get('includeObject') === 'Object') };
      return {
        body: {
          kind: `${r.kind}List`,
          apiVersion: groupVersion(r),
          metadata: { resourceVersion: String(revision) },
          items: found,
        },
      };
    }
    const present = objects.get(at);
    switch (one.method) {
      case 'GET':
        return present ? { body: asTable ? table(r, [present]) : present } : missing();
      case 'POST': {
        const object = one.body as FakeObject;
        const target = { ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } };
        if (objects.has(key(r, namespace, object.metadata.name)))
          return status(409, 'AlreadyExists', `${r.plural} "${object.metadata.name}" already exists`);
        return { code: 201, body: put(r, target) };
      }
      case 'PATCH':
        if (!present && !one.contentType.includes('apply-patch')) return missing();
        return {
          body: put(
            r,
            merge(present ?? {}, {
              ...(one.body as object),
              metadata: { ...(one.body as FakeObject).metadata, name, ...(namespace ? { namespace } : {}) },
            }) as FakeObject,
          ),
        };
      case 'DELETE':
        if (!present) return missing();
        if ((one.body as { dryRun?: string[] }).dryRun === undefined) drop(r, at);
        return {
          body: {
            kind: 'Status',
            apiVersion: 'v1',
            metadata: {},
            status: 'Success',
            details: { name, kind: r.plural, uid: present.metadata.uid },
          },
        };
      default:
        return status(405, 'MethodNotAllowed', 'no');
    }
  };

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const api: FakeApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    add: (...added) => {
      for (const object of added) put(resourceOf(object.kind), object);
    },
    remove: (kind, name) => {
      const r = resourceOf(kind);
      for (const [k, object] of objects)
        if (k.startsWith(`${r.group}/${r.plural}/`) && object.metadata.name === name) drop(r, k);
    },
    find: (kind, name) => [...objects.values()].find(object => object.kind === kind && object.metadata.name === name),
    answer: () => undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
  api.add({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' }, status: { phase: 'Active' } });
  return api;
};

const status = (code: number, reason: string, message: string, details: object = {}): Answer => ({
  code,
  body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, message, details, code },
});
export const failure = status;

const segments = (r: FakeResource, path: string) => {
  const pattern = r.namespaced
    ? `^${rootOf(r)}(?:/namespaces/([^/]+))?/${r.plural}(?:/([^/]+))?(?:/(log|status))?$`
    : `^${rootOf(r)}()/${r.plural}(?:/([^/]+))?(?:/(log|status))?$`;
  const match = new RegExp(pattern).exec(path);
  return match
    ? { namespace: match[1] || undefined, name: match[2] && decodeURIComponent(match[2]), sub: match[3] }
    : undefined;
};

const matches = (object: FakeObject, namespace: string | undefined, query: URLSearchParams): boolean => {
  if (namespace && object.metadata.namespace !== namespace) return false;
  const pairs = (text: string | null) => (text ?? '').split(',').filter(part => part.includes('='));
  const labels = pairs(query.get('labelSelector')).every(pair => {
    const [k = '', v] = pair.split('=');
    return object.metadata.labels?.[k] === v;
  });
  const fields = pairs(query.get('fieldSelector')).every(pair => {
    const [, path = '', op, v = ''] = /^([^!=]+)(!=|==?)(.*)$/.exec(pair)!;
    const value =
      path.split('.').reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], object) ?? '';
    return op === '!=' ? String(value) !== v : String(value) === v;
  });
  return labels && fields;
};

const table = (r: FakeResource, objects: readonly FakeObject[], whole = false) => ({
  kind: 'Table',
  apiVersion: 'meta.k8s.io/v1',
  metadata: { resourceVersion: '100' },
  columnDefinitions: [
    { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
    ...(r.columns ?? []).map(column => ({
      name: column.name,
      type: 'string',
      format: '',
      description: '',
      priority: column.priority ?? 0,
    })),
    { name: 'Age', type: 'string', format: '', description: '', priority: 0 },
  ],
  rows: objects.map(object => ({
    cells: [object.metadata.name, ...(r.columns ?? []).map(column => column.cell(object)), '5m'],
    object: whole ? object : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
  })),
});

const merge = (target: unknown, patch: unknown): unknown => {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result = { ...(target as Record<string, unknown>) };
  for (const [k, v] of Object.entries(patch)) {
    if (k.startsWith('$')) continue;
    if (v === null) delete result[k];
    else result[k] = merge(result[k] ?? {}, v);
  }
  return result;
};
