/**
 * What went wrong between us and the server, as ApiErrors with the words that kubectl uses for it: refusals with a
 * Status body are that Status; bodies of something else, servers that are away and certificates that do not fit get
 * a sentence that names the server.
 */
import { ApiError, type Status } from '#api/status.ts';

/** No answer came: the server is away, or is not the one we trust. */
export class ConnectionError extends ApiError {
  constructor(message: string) {
    super({ code: 503, reason: 'ServiceUnavailable', message });
  }
}

/** What was asked, for messages: `get pods x`. */
export interface Asked {
  readonly method: string;
  readonly path: string;
}

/** The ApiError of a response with a code ≥ 400. */
export const responseError = (code: number, body: string, asked: Asked, server: string): ApiError => {
  const status = statusOf(body);
  if (status) return new ApiError({ ...status, code: status.code ?? code, reason: status.reason ?? '' });
  const what = `(${asked.method.toLowerCase()} ${asked.path.split('?')[0]} at ${server})`;
  const text = body.trim().slice(0, 400);
  switch (code) {
    case 401:
      return new ApiError({
        code,
        reason: 'Unauthorized',
        message: `the server has asked for the client to provide credentials ${what}`,
      });
    case 403:
      return new ApiError({ code, reason: 'Forbidden', message: `${text || 'forbidden'} ${what}` });
    case 404:
      return new ApiError({
        code,
        reason: 'NotFound',
        message: `the server could not find the requested resource ${what}`,
      });
    case 429:
      return new ApiError({
        code,
        reason: 'TooManyRequests',
        message: `the server has received too many requests and has asked us to try again later ${what}`,
      });
    case 503:
      return new ApiError({
        code,
        reason: 'ServiceUnavailable',
        message: `the server is currently unable to handle the request ${what}`,
      });
  }
  if (code < 500) {
    return new ApiError({
      code,
      reason: 'BadRequest',
      message: `the server rejected our request for an unknown reason ${what}`,
    });
  }
  return new ApiError({
    code,
    reason: 'InternalError',
    message: `an error on the server (${JSON.stringify(text || 'unknown')}) has prevented the request from succeeding ${what}`,
  });
};

/** A successful response that is not JSON: another program listens there. */
export const notTheApi = (body: string, asked: Asked, server: string): ApiError =>
  new ConnectionError(
    `${server} does not answer like a Kubernetes API server: ${asked.method} ${asked.path.split('?')[0]} gave ${JSON.stringify(body.slice(0, 80))}`,
  );

/** The failure of a connection, from the code and message of the platform's error. */
export const connectionError = (code: string, message: string, server: string): ConnectionError => {
  const host = server.replace(/^https?:\/\//, '').replace(/\/$/, '');
  if (code === 'ECONNREFUSED') {
    return new ConnectionError(
      `The connection to the server ${host} was refused - did you specify the right host or port?`,
    );
  }
  return new ConnectionError(`Unable to connect to the server ${host}: ${explain(code, message)}`);
};

const explain = (code: string, message: string): string => {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `its name cannot be resolved (${message})`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_SIGNATURE_FAILURE':
      return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
    case 'CERT_HAS_EXPIRED':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `tls: failed to verify certificate: x509: ${message}`;
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'it does not speak TLS on that port (is it http:// instead of https://?)';
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
    case 'ETIMEDOUT':
      return `it did not answer in time (${message})`;
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `it closed the connection (${message})`;
    default:
      return message === '' ? code : message;
  }
};

/** The Status of an error body, or undefined when it is none. */
export const statusOf = (body: string): Status | undefined => {
  if (!body.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return isStatus(value) ? value : undefined;
};

export const isStatus = (value: unknown): value is Status =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status' && 'status' in value;

/** The texts of `Warning` headers: `299 - "text"`, several in one header or in several; other codes are ignored. */
export const warningsOf = (header: string | readonly string[] | undefined): string[] => {
  if (header === undefined) return [];
  const text = typeof header === 'string' ? header : header.join(', ');
  return [...text.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(match => (match[1] ?? '').replace(/\\(.)/g, '$1'));
};
