/** The log of a server or agent process: pino, to a file of the data folder or to stderr. */
import { pino } from 'pino';
import type { Log } from '#base/log.ts';

/** Each line is written at once, so that none is lost in a crash. `file` undefined: stderr. $BERTH_LOG sets the level (debug, info, warn, error). */
export const openLog = (file: string | undefined, level: string | undefined): Log => {
  const destination = pino.destination({ dest: file ?? 2, mkdir: true, sync: true });
  const log = pino({ level: level ?? 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  };
};
