/** The value of --timings: profiles that server and agents must agree on. */
import { agentTimings, type TimingsName } from '#agent/timings.ts';
import { CliError } from '../failure.ts';

/** Throws CliError for a name that is none. */
export const parseTimings = (text: string): TimingsName => {
  if (!Object.hasOwn(agentTimings, text)) throw new CliError(`--timings ${text}: expected kubernetes or fast`);
  return text as TimingsName;
};
