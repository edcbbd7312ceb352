/** POST /apis/berth.dev/v1/join: an agent gives its node's name and the join token, and gets the node's own token. */
import type { FastifyReply } from 'fastify';
import { subdomainFaults } from '#api/label-names.ts';
import { badRequest, unavailable } from '#api/status.ts';
import { sendJson } from './answer.ts';
import { readBody } from './body.ts';
import { refuseSecondAgent } from './node-links.ts';
import { bytesOf, type Call } from './requests.ts';

/** Answers when the request is one for joining; undefined when it is not. */
export const answerJoin = (call: Call): Promise<FastifyReply> | undefined => {
  const { info } = call;
  const asked = info.isResource && info.group === 'berth.dev' && info.version === 'v1' && info.resource === 'join';
  return asked ? join(call) : undefined;
};

const join = async ({ request, reply, deps }: Call): Promise<FastifyReply> => {
  const { value } = await readBody(bytesOf(request), request.headers['content-type'], { kind: 'Join' });
  const { nodeName } = (value ?? {}) as { nodeName?: unknown };
  if (typeof nodeName !== 'string' || nodeName === '') throw badRequest('nodeName is required');
  const faults = subdomainFaults(nodeName);
  if (faults.length > 0)
    throw badRequest(`nodeName ${JSON.stringify(nodeName)} is not a valid name: ${faults.join('; ')}`);
  // Of an agent whose machine has died it takes the link some seconds to notice.
  if (deps.nodeLinks.isConnected(nodeName) && !(await deps.nodeLinks.answers(nodeName)))
    throw unavailable(
      `the agent of node ${JSON.stringify(nodeName)} does not answer: try again when its link has ended`,
    );
  refuseSecondAgent(deps.nodeLinks, nodeName);
  deps.log.info({ node: nodeName }, 'a node joined');
  return sendJson(reply, 200, { token: deps.tokens.nodeToken(nodeName), caPem: deps.caPem });
};
