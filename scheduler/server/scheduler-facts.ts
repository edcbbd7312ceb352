/**
 * GET /apis/berth.dev/v1/decisions and …/schedulerconfiguration: what the scheduler of this process decided lately, and the
 * configuration that it runs with. For administrators only (authz.ts): both tell about all namespaces.
 */
import type { FastifyReply } from 'fastify';
import { badRequest } from '#api/status.ts';
import { sendJson } from './answer.ts';
import type { ResourceRequest } from './request-info.ts';
import type { Call } from './requests.ts';
import { pathNotFound } from './resources.ts';

/** What the server is told about the scheduler beside it. */
export interface SchedulerFacts {
  /** Decisions that match, the oldest first, as plain JSON; of more than `limit` the latest. */
  decisions(query: DecisionQuery): readonly object[];
  /** The file that configures it; absent: the default. */
  readonly configuration?: ConfigurationFacts;
}

export interface ConfigurationFacts {
  readonly text: string;
  readonly path: string;
  /** Its own plugins as they were loaded, so that others can tell whether a file is still the same. */
  readonly plugins?: readonly { readonly file: string; readonly sha256: string }[];
}

export interface DecisionQuery {
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly uid: string | undefined;
  readonly limit: number;
}

const defaultLimit = 500;
const mostLimit = 10_000;

/** Answers when the request is one of these; undefined when it is not. */
export const answerSchedulerFacts = ({ info, deps, reply }: Call): FastifyReply | undefined => {
  if (!info.isResource || info.group !== 'berth.dev' || info.version !== 'v1' || info.verb !== 'list') return undefined;
  if (info.namespace !== undefined) return undefined;
  if (info.resource === 'decisions') {
    const items = deps.scheduler?.decisions(queryOf(info)) ?? [];
    return sendJson(reply, 200, { apiVersion: 'berth.dev/v1', kind: 'DecisionList', metadata: {}, items });
  }
  if (info.resource !== 'schedulerconfiguration') return undefined;
  const configuration = deps.scheduler?.configuration;
  if (configuration === undefined) throw pathNotFound();
  return sendJson(reply, 200, { apiVersion: 'berth.dev/v1', kind: 'SchedulerConfiguration', ...configuration });
};

const queryOf = ({ query }: ResourceRequest): DecisionQuery => {
  const limit = query.get('limit') ?? String(defaultLimit);
  if (!/^\d{1,6}$/.test(limit) || Number(limit) < 1 || Number(limit) > mostLimit)
    throw badRequest(`limit: Invalid value: ${JSON.stringify(limit)}: must be between 1 and ${mostLimit}`);
  const text = (name: string): string | undefined => query.get(name) || undefined;
  return { namespace: text('namespace'), pod: text('pod'), uid: text('uid'), limit: Number(limit) };
};
