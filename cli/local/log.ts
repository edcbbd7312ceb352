/** The log of a server or agent process: pino, to a file of the data folder or to stderr. */
import { pino } from 'pino';
import type { Log } from '#base/log.ts';

export interface OpenLog extends Log {
  flush(): void;
}

/** `file` undefined: stderr. $BERTH_LOG sets the level (debug, info, warn, error). */
export const openLog = (file: string | undefined, level: string | undefined): OpenLog => {
  const destination = pino.destination({ dest: file ?? 2, mkdir: true, sync: file === undefined, minLength: 0 });
  const log = pino({ level: level ?? 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    flush: () => destination.flushSync(),
  };
};
