/**
 * Acting as somebody else (`kubectl --as`, `--as-group`): the headers Impersonate-User, -Group and -Uid, for administrators only.
 * Everything after it knows the other user alone, so that what they may do can be tried out (upstream: filters/impersonation.go).
 */
import type { IncomingMessage } from 'node:http';
import { type ApiError, badRequest } from '#api/status.ts';
import type { User } from '#registry/request.ts';
import { refusal } from './authz.ts';
import type { ResourceRequest } from './request-info.ts';

const [nameHeader, groupHeader, uidHeader] = ['impersonate-user', 'impersonate-group', 'impersonate-uid'] as const;

/** The user that the request acts as: `user` itself where it asks for nobody else. Throws Forbidden or BadRequest. */
export const actingUser = (user: User, request: IncomingMessage): User => {
  const asked = [nameHeader, groupHeader, uidHeader].some(header => request.headers[header] !== undefined);
  if (!asked) return user;
  const { headersDistinct } = request;
  const name = headersDistinct[nameHeader]?.[0] ?? '';
  const groups = headersDistinct[groupHeader] ?? [];
  const uid = headersDistinct[uidHeader]?.[0] ?? '';
  if (name === '') throw badRequest(`requested ${[...groups, uid].join(' ').trim()} without impersonating a user`);
  if (!user.groups.includes('system:masters')) throw mayNot(user, name);
  return {
    name,
    ...(uid === '' ? {} : { uid }),
    groups: groups.includes(everybody) ? groups : [...groups, everybody],
  };
};

const everybody = 'system:authenticated';

const mayNot = (user: User, name: string): ApiError =>
  refusal(user, { ...users, name, path: '', query: new URLSearchParams() }, '');

const users: Omit<ResourceRequest, 'name' | 'path' | 'query'> = {
  isResource: true,
  verb: 'impersonate' as never,
  group: '',
  version: 'v1',
  resource: 'users',
  namespace: undefined,
  subresource: undefined,
};
