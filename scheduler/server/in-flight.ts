/**
 * How many requests are answered at once: past the bound a client is told to come again (429) instead of waiting in an
 * ever longer queue. As upstream's --max-requests-inflight and --max-mutating-requests-inflight (filters/maxinflight.go):
 * reads and writes are counted apart, streams are not counted, and administrators always get an answer.
 */
import { tooManyRequests } from '#api/status.ts';
import type { User } from '#registry/request.ts';
import type { RequestInfo } from './request-info.ts';

export interface InFlightLimits {
  readonly reads: number;
  readonly writes: number;
}

export type Place = keyof InFlightLimits;

/** Upstream's defaults. */
const defaultLimits: InFlightLimits = { reads: 400, writes: 200 };
const retryAfterSeconds = 1;

export class InFlight {
  readonly #limits: InFlightLimits;
  readonly #held: Record<Place, number> = { reads: 0, writes: 0 };

  constructor(limits: InFlightLimits = defaultLimits) {
    this.#limits = limits;
  }

  /** The place that a request holds until it is left; undefined when it needs none. Throws TooManyRequests. */
  enter(info: RequestInfo, user: User): Place | undefined {
    if (isLongRunning(info)) return undefined;
    const place = reading.has(info.verb) ? 'reads' : 'writes';
    if (this.#held[place] < this.#limits[place]) {
      this.#held[place]++;
      return place;
    }
    if (user.groups.includes('system:masters')) return undefined;
    throw tooManyRequests('Too many requests, please try again later.', [], retryAfterSeconds);
  }

  leave(place: Place | undefined): void {
    if (place !== undefined) this.#held[place]--;
  }
}

const reading: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head']);
const streaming: ReadonlySet<string> = new Set(['log', 'exec', 'attach']);

const isLongRunning = (info: RequestInfo): boolean =>
  info.isResource && (info.verb === 'watch' || streaming.has(info.subresource ?? ''));
