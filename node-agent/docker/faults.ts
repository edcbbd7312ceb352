/** What the Docker Engine and the socket to it say when something fails, as RuntimeError. */
import { RuntimeError, type RuntimeFault } from '../runtime.ts';

interface EngineFailure {
  readonly statusCode?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly json?: unknown;
}

/** Socket failures that mean: no engine there at this moment. */
const gone = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EACCES',
]);

/** What docker-modem puts before the engine's sentence; all that is left of the answer where that was a stream. */
const wrapping = /^\(HTTP code \d+\) .*? - /;

/** The engine's own sentence, without that. */
const sentenceOf = (failure: EngineFailure): string => {
  const { json, message } = failure;
  if (typeof json === 'object' && json !== null && 'message' in json) return String(json.message).trim();
  return String(message ?? failure)
    .replace(wrapping, '')
    .trim();
};

const faultOf = (status: number, sentence: string): RuntimeFault => {
  if (/no space left on device/i.test(sentence)) return 'noSpace';
  if (status === 404) return 'notFound';
  if (status === 409) return 'conflict';
  if (status === 400) return 'invalid';
  return 'other';
};

export const toRuntimeError = (error: unknown): RuntimeError => {
  if (error instanceof RuntimeError) return error;
  const failure = (typeof error === 'object' && error !== null ? error : { message: error }) as EngineFailure;
  const sentence = sentenceOf(failure);
  if (typeof failure.statusCode === 'number')
    return new RuntimeError(faultOf(failure.statusCode, sentence), sentence, failure.statusCode);
  if (failure.code === 'ABORT_ERR') return new RuntimeError('unavailable', 'the Docker Engine does not answer');
  if (gone.has(String(failure.code)) || sentence === 'socket hang up' || sentence === 'aborted')
    return new RuntimeError('unavailable', `cannot reach the Docker Engine: ${sentence}`);
  return new RuntimeError('other', sentence);
};

/** Runs a call; answers with one of `expected` statuses become `undefined`, all other failures a RuntimeError. */
export const calling = async <T>(call: () => Promise<T>, ...expected: readonly number[]): Promise<T | undefined> => {
  try {
    return await call();
  } catch (error) {
    const failure = toRuntimeError(error);
    if (expected.includes(failure.code)) return undefined;
    throw failure;
  }
};
