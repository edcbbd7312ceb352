/** Says on the terminal, not only in a log, that an API can be reached from other machines. */
import type { Io } from '../io.ts';

export const warnOfHost = (io: Io, host: string): void => {
  if (['127.0.0.1', '::1', 'localhost'].includes(host)) return;
  io.err(
    `Warning: the API listens on ${host}, not only on loopback: whoever has a token and reaches this machine can use it.\n`,
  );
};
