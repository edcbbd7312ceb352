/** A real API server on a free port of 127.0.0.1, over a memory store, with its own CA; without controllers and scheduler. */
import { Agent, request } from 'node:https';
import { kinds } from '#api/kinds.ts';
import type { NodeUsage } from '#api/node-calls.ts';
import type { KubeObject } from '#api/object.ts';
import { OpenApi } from '#api/openapi.ts';
import type { Clock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import { createRegistry, type Registry } from '#registry/registry.ts';
import { systemUser } from '#registry/request.ts';
import { stamp } from '#registry/stamp.ts';
import { openTokens, type Tokens } from '#server/authn.ts';
import { createApiServer } from '#server/http.ts';
import { InFlight, type InFlightLimits } from '#server/in-flight.ts';
import { createServerMetrics } from '#server/metrics.ts';
import { createNodeLinks, type NodeLinks } from '#server/node-links.ts';
import { ensureTls } from '#server/tls.ts';
import { versionInfo } from '#server/version.ts';
import { memoryJournal } from '#store/journal.ts';
import { openStore } from '#store/store.ts';

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  readonly tokens: Tokens;
  readonly registry: Registry;
  readonly nodeLinks: NodeLinks;
  readonly agent: Agent;
  stop(): Promise<void>;
}

const tls = await ensureTls({ hosts: [], nowMs: Date.now() });

export interface TestServerOptions {
  readonly clock?: Clock;
  readonly limits?: InFlightLimits;
  /** What the nodes report; absent: what the links to them say. */
  readonly usage?: () => Promise<readonly NodeUsage[]>;
}

export const startServer = async (options: TestServerOptions = {}): Promise<TestServer> => {
  const { clock = systemClock } = options;
  const store = openStore<KubeObject>({
    journal: memoryJournal(),
    stamp,
    soon: task => void setImmediate(task),
    now: () => clock.now(),
  });
  const nodeLinks = createNodeLinks({ clock, log: silentLog });
  const usage = options.usage ?? (() => nodeLinks.usage());
  const registry = createRegistry({ store, clock, random: systemRandom, usage });
  for (const name of ['default', 'other', 'kube-system', 'kube-node-lease'])
    await registry.write(
      { kind: kinds.find(kind => kind.kind === 'Namespace')! },
      { verb: 'create', body: { metadata: { name } } },
      { user: systemUser, warn: () => {} },
    );
  const tokens = openTokens(undefined);
  const stopping = new AbortController();
  const server = createApiServer(
    {
      registry,
      kinds,
      tokens,
      nodeLinks,
      metrics: createServerMetrics(),
      inFlight: new InFlight(options.limits),
      openapi: new OpenApi(kinds, versionInfo.gitVersion),
      clock,
      log: silentLog,
      caPem: tls.caPem,
      checks: { store: () => true },
      stopping: stopping.signal,
    },
    tls,
  );
  await server.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.app.server.address() as { port: number };
  const agent = new Agent({ keepAlive: true, ca: tls.caPem });
  const stop = async () => {
    stopping.abort();
    agent.destroy();
    await server.close();
    store.close();
  };
  return { url: `https://127.0.0.1:${port}`, port, caPem: tls.caPem, tokens, registry, nodeLinks, agent, stop };
};

export interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly json: any;
}

export interface Asked {
  readonly method?: string;
  /** Null: none. Default: the administrator's. */
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: object | string | Buffer;
}

export const ask = (server: TestServer, path: string, asked: Asked = {}): Promise<Answer> => {
  const { method = 'GET', token = server.tokens.adminToken, headers = {}, body } = asked;
  const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      `${server.url}${path}`,
      {
        method,
        agent: server.agent,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(bytes !== undefined && typeof body === 'object' && !Buffer.isBuffer(body)
            ? { 'content-type': 'application/json' }
            : {}),
          ...(bytes === undefined ? {} : { 'content-length': String(Buffer.byteLength(bytes)) }),
          ...headers,
        },
      },
      response => {
        const chunks: Buffer[] = [];
        response.on('data', chunk => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ code: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(bytes);
  });
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
