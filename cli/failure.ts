/**
 * What goes wrong, in kubectl's words and with its exit codes. Commands throw; cli/main.ts prints once. A fault of the
 * server is an ApiError, a fault of the user's input a CliError; several at once a CliErrors.
 */
import { ApiError, type Cause, type Status } from '#api/status.ts';
import { ConnectionError } from '#client/http-errors.ts';

/** A sentence for the user; printed after `error: ` unless `verbatim`. */
export class CliError extends Error {
  override name = 'CliError';
  readonly exitCode: number;
  readonly verbatim: boolean;

  constructor(message: string, more: { exitCode?: number; verbatim?: boolean } = {}) {
    super(message);
    this.exitCode = more.exitCode ?? 1;
    this.verbatim = more.verbatim ?? false;
  }
}

/** A command line that cannot be meant; `command` is how its user calls it: `top pod`. */
export const usageError = (command: string, message: string): CliError =>
  new CliError(`${message}\nSee 'berth ${command} -h' for help and examples`);

/** Several failures of one command, each printed on its own. */
export class CliErrors extends Error {
  override name = 'CliErrors';
  readonly failures: readonly unknown[];

  constructor(failures: readonly unknown[]) {
    super(`${failures.length} failures`);
    this.failures = failures;
  }
}

/** The command has said all there is to say; only the exit code is left. */
export class Exit extends Error {
  override name = 'Exit';
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** The exit code of a shell for the signal that ended the command. */
export const interruptCode = (signal: AbortSignal): number => (typeof signal.reason === 'number' ? signal.reason : 130);

/** Throws what was collected: nothing, the one failure, or all of them. */
export const throwAll = (failures: readonly unknown[]): void => {
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new CliErrors(failures);
};

/** A copy of a server's failure with more said before its message, as in `error when creating "f.yaml": …`. */
export const withContext = (error: unknown, prefix: string, suffix = ''): unknown => {
  if (error instanceof ApiError && !(error instanceof ConnectionError)) {
    const { code = 500, reason = '', message = '', details } = error.status;
    return new ApiError({ code, reason, message: `${prefix}${message}${suffix}`, ...(details ? { details } : {}) });
  }
  if (error instanceof CliError) return new CliError(prefix + error.message, error);
  return error;
};

/** The lines for stderr, with the final newline. */
export const failureText = (error: unknown): string => {
  if (error instanceof CliErrors) return error.failures.map(failure => `${oneOf(failure)}\n`).join('');
  if (error instanceof ConnectionError) return `${error.message}\n${upHint}\n`;
  if (error instanceof ApiError && error.reason === 'Invalid') return `${invalidText(error.status)}\n`;
  if (error instanceof ApiError) return `${statusText(error.status)}\n`;
  if (error instanceof CliError) return error.verbatim ? `${error.message}\n` : `error: ${error.message}\n`;
  if (isOurs(error)) return `error: ${error.message}\n`;
  return `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
};

export const exitCodeOf = (error: unknown): number => {
  if (error instanceof Exit) return error.code;
  return error instanceof CliError ? error.exitCode : 1;
};

const upHint = '`berth status` tells whether a cluster is up here, `berth up` starts one.';

/** Errors whose message is already a sentence for the user, although other layers made them. */
const isOurs = (error: unknown): error is Error =>
  error instanceof Error && (error.name === 'JsonPathError' || error.name === 'KubeconfigError' || 'syscall' in error);

const oneOf = (failure: unknown): string => {
  if (failure instanceof ApiError) return statusText(failure.status);
  return failureText(failure)
    .replace(/^error: /, '')
    .trimEnd();
};

const statusText = (status: Status): string => {
  if (status.reason === 'Unauthorized') return 'error: You must be logged in to the server (Unauthorized)';
  const reason = status.reason ? ` (${status.reason})` : '';
  return `Error from server${reason}: ${status.message ?? ''}`;
};

const invalidText = (status: Status): string => {
  const { details } = status;
  if (!details) return `The request is invalid: ${status.message ?? ''}`;
  const head = `The ${details.kind ?? ''} "${details.name ?? ''}" is invalid`;
  const causes = details.causes ?? [];
  if (causes.length === 0) return head;
  if (causes.length === 1) return `${head}: ${causeText(causes[0]!)}`;
  return `${head}: \n${[...new Set(causes.map(cause => `* ${causeText(cause)}`))].join('\n')}`;
};

const causeText = (cause: Cause): string => (cause.field ? `${cause.field}: ${cause.message}` : cause.message);
