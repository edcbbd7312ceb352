/** Reviews that a user asks for about itself: what may I do, and who am I. Answered, never stored. */
import type { FastifyReply } from 'fastify';
import { type Decodable, decodeObject, strictProblems } from '#api/decode.ts';
import { reviewForms, type SelfSubjectAccessReview, type SelfSubjectRulesReview } from '#api/kinds/review.ts';
import type { KubeObject } from '#api/object.ts';
import { invalid, invalidValue } from '#api/status.ts';
import { toTime } from '#base/clock.ts';
import { nodeOfUser } from '#registry/admission/node-restriction.ts';
import type { User } from '#registry/request.ts';
import { sendJson, warningsFor } from './answer.ts';
import { authorize } from './authz.ts';
import { readBody } from './body.ts';
import type { RequestInfo, RequestVerb } from './request-info.ts';
import { bytesOf, type Call } from './requests.ts';

/** Answers when the request is for a review; undefined when it is not. */
export const answerReview = (call: Call): Promise<FastifyReply> | undefined => {
  const { info } = call;
  if (!info.isResource || info.verb !== 'create' || info.version !== 'v1' || info.name !== undefined) return undefined;
  switch (`${info.group}/${info.resource}`) {
    case 'authorization.k8s.io/selfsubjectaccessreviews':
      return review(call, reviewForms.access, accessOf);
    case 'authorization.k8s.io/selfsubjectrulesreviews':
      return review(call, reviewForms.rules, rulesIn);
    case 'authentication.k8s.io/selfsubjectreviews':
      return review(call, reviewForms.subject, subjectOf);
    default:
      return undefined;
  }
};

type Form = Decodable<KubeObject>;

/** Throws BadRequest for a body that is no such review, and what `answer` throws. */
const review = async <T extends KubeObject>(
  call: Call,
  form: Form,
  answer: (call: Call, asked: T) => object,
): Promise<FastifyReply> => {
  const { request, reply } = call;
  const { value } = await readBody(bytesOf(request), request.headers['content-type'], form);
  const { object, unknownFields } = decodeObject(form, value);
  const warn = warningsFor(reply);
  for (const problem of strictProblems(unknownFields, [])) warn(problem);
  return sendJson(reply, 201, { ...object, ...answer(call, object as T) });
};

const accessOf = ({ deps, user }: Call, { spec }: SelfSubjectAccessReview): object => {
  const { resourceAttributes: resource, nonResourceAttributes: other } = spec;
  const causes = [
    ...(resource !== undefined && other !== undefined
      ? [
          invalidValue(
            'spec.nonResourceAttributes',
            other,
            'cannot be specified in combination with resourceAttributes',
          ),
        ]
      : []),
    ...(resource === undefined && other === undefined
      ? [
          invalidValue(
            'spec.resourceAttributes',
            null,
            'exactly one of nonResourceAttributes or resourceAttributes must be specified',
          ),
        ]
      : []),
  ];
  if (causes.length > 0) throw invalid(reviewForms.access, '', causes);
  const verdict = authorize(deps.registry, user, asRequest(spec));
  if (verdict.allowed) return { status: { allowed: true } };
  return { status: { allowed: false, ...(verdict.reason ? { reason: verdict.reason } : {}) } };
};

const rulesIn = ({ user }: Call, _: SelfSubjectRulesReview): object => ({
  status: user.groups.includes('system:masters') ? everything : rulesOf(user),
});

const subjectOf = ({ user, deps }: Call): object => ({
  metadata: { creationTimestamp: toTime(deps.clock.now()) },
  status: {
    userInfo: { username: user.name, ...(user.uid === undefined ? {} : { uid: user.uid }), groups: user.groups },
  },
});

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
}: SelfSubjectAccessReview['spec']): RequestInfo => {
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
