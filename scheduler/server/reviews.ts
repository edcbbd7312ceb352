/** Reviews that a user asks for about itself: what may I do, and who am I. Answered, never stored. */
import type { FastifyReply } from 'fastify';
import { nodeOfUser } from '#registry/admission/node-restriction.ts';
import type { User } from '#registry/request.ts';
import { sendJson } from './answer.ts';
import { authorize } from './authz.ts';
import { readBody } from './body.ts';
import type { RequestInfo, RequestVerb } from './request-info.ts';
import { bytesOf, type Call } from './requests.ts';

interface Review {
  readonly spec?: {
    readonly resourceAttributes?: {
      readonly namespace?: string;
      readonly verb?: string;
      readonly group?: string;
      readonly version?: string;
      readonly resource?: string;
      readonly subresource?: string;
      readonly name?: string;
    };
    readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
    readonly namespace?: string;
  };
}

/** Answers when the request is for a review; undefined when it is not. */
export const answerReview = (call: Call): Promise<FastifyReply> | undefined => {
  const { info } = call;
  if (!info.isResource || info.verb !== 'create' || info.version !== 'v1') return undefined;
  const answer = answers[`${info.group}/${info.resource}`];
  return answer === undefined ? undefined : review(call, answer);
};

type Answer = (call: Call, review: Review) => object;

const review = async (call: Call, answer: Answer): Promise<FastifyReply> => {
  const { request, reply } = call;
  const { value } = await readBody(bytesOf(request), request.headers['content-type'], { kind: 'Review' });
  return sendJson(reply, 201, answer(call, (value ?? {}) as Review));
};

const answers: Readonly<Record<string, Answer>> = {
  'authorization.k8s.io/selfsubjectaccessreviews': ({ deps, user }, { spec = {} }) => {
    const verdict = authorize(deps.registry, user, asRequest(spec));
    return {
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: {},
      spec,
      status: verdict.allowed
        ? { allowed: true }
        : { allowed: false, ...(verdict.reason ? { reason: verdict.reason } : {}) },
    };
  },
  'authorization.k8s.io/selfsubjectrulesreviews': ({ user }, { spec = {} }) => ({
    kind: 'SelfSubjectRulesReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec,
    status: user.groups.includes('system:masters') ? everything : rulesOf(user),
  }),
  'authentication.k8s.io/selfsubjectreviews': ({ user, deps }) => ({
    kind: 'SelfSubjectReview',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { creationTimestamp: new Date(deps.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z') },
    status: {
      userInfo: { username: user.name, ...(user.uid === undefined ? {} : { uid: user.uid }), groups: user.groups },
    },
  }),
};

const everything = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  incomplete: false,
};

/** What everyone may who is authenticated; what a node may besides depends on its pods and is no list. */
const rulesOf = (user: User) => ({
  resourceRules: [
    {
      verbs: ['create'],
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    },
    { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  ],
  nonResourceRules: [
    {
      verbs: ['get'],
      nonResourceURLs: [
        ...['/api', '/api/*', '/apis', '/apis/*', '/healthz', '/livez'],
        ...['/openapi', '/openapi/*', '/readyz', '/version'],
      ],
    },
  ],
  incomplete: nodeOfUser(user) !== undefined,
  ...(nodeOfUser(user) === undefined
    ? {}
    : { evaluationError: 'node authorizer does not support user rule resolution' }),
});

const asRequest = ({
  resourceAttributes: resource,
  nonResourceAttributes: other,
}: NonNullable<Review['spec']>): RequestInfo => {
  const query = new URLSearchParams();
  if (resource === undefined) return { isResource: false, verb: other?.verb ?? '', path: other?.path ?? '', query };
  return {
    isResource: true,
    verb: (resource.verb ?? '') as RequestVerb,
    group: resource.group ?? '',
    version: resource.version ?? '',
    resource: resource.resource ?? '',
    namespace: resource.namespace || undefined,
    name: resource.name || undefined,
    subresource: resource.subresource || undefined,
    path: '',
    query,
  };
};
