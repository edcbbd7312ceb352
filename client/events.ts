/**
 * Records Events about objects. `event` returns at once: events are correlated as in client-go (event-correlator.ts),
 * wait in a bounded queue, and are sent by a few workers; one that waits absorbs its repetitions. An Event that
 * exists already is patched (count, lastTimestamp). What cannot be sent is dropped and counted, never waited for.
 */
import { type Event, eventKind } from '#api/kinds/core.ts';
import type { KubeObject } from '#api/object.ts';
import { ApiError, isReason } from '#api/status.ts';
import { createBackoff } from '#base/backoff.ts';
import { type Clock, type Signal, toTime } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client } from './client.ts';
import { EventCorrelator, type EventFacts } from './event-correlator.ts';

export interface RecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Who says it: `kubelet`, `default-scheduler`, `node-controller`, … */
  readonly component: string;
  /** The node's name, for agents. */
  readonly host?: string;
  /** When it aborts, nothing is recorded or retried any more. */
  readonly signal?: Signal;
  /** Awaited before each event is sent: whoever has more urgent things to send holds events back, for a bounded time. */
  readonly turn?: () => Promise<void>;
}

export interface EventDetails {
  /** The part of the object that it is about: `spec.containers{app}`. */
  readonly fieldPath?: string;
  /** Instead of the recorder's. */
  readonly component?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What an event can be about: any object, or as much of one as is known. */
export type Involved = Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>;

export interface Recorder {
  /** Never blocks and never throws. */
  event(object: Involved, type: 'Normal' | 'Warning', reason: string, message: string, more?: EventDetails): void;
  /** Resolves when everything recorded so far was sent or given up, or after five seconds. */
  flush(): Promise<void>;
  /** Events given up since the start. */
  readonly dropped: number;
}

const queueLimit = 1000;
/** Few, so that events never crowd out the work that they tell of (client-go sends them one after the other). */
const workers = 2;
const triesPerEvent = 12;
const retryMs = 500;
const retryLimitMs = 10_000;
const flushLimitMs = 5000;
/** Events remembered for counting; the longest unused are forgotten first. */
const memory = 4096;
/** Upstream's limit of the API (core validation): longer messages are cut. */
const messageLimit = 1024;

/** One Event object: what it should say, and how far the server knows it. */
interface Entry {
  event: Event;
  created: boolean;
  state: 'idle' | 'waiting' | 'sending';
  /** It changed while it was being sent. */
  again: boolean;
}

export const createRecorder = (options: RecorderOptions): Recorder => {
  const { clock, random, log, signal } = options;
  const correlator = new EventCorrelator();
  const nameOf = eventNames(clock, random);
  const entries = new Map<string, Entry>();
  const queue: Entry[] = [];
  let idle: (() => void)[] = [];
  let active = 0;
  let dropped = 0;

  const drop = (why: string) => {
    if (dropped++ === 0) log.warn({ component: options.component }, `events are dropped: ${why}`);
  };

  const enqueue = (entry: Entry) => {
    if (entry.state === 'sending') entry.again = true;
    if (entry.state !== 'idle') return;
    if (queue.length >= queueLimit) {
      drop(`${queueLimit} events wait already`);
      return;
    }
    entry.state = 'waiting';
    queue.push(entry);
    if (active < workers) void work();
  };

  const work = async () => {
    active++;
    for (let entry = queue.shift(); entry; entry = queue.shift()) {
      await options.turn?.();
      entry.state = 'sending';
      entry.again = false;
      const failure = await deliver(options, entry, nameOf);
      if (failure !== undefined) drop(failure);
      entry.state = 'idle';
      if (entry.again && failure === undefined) enqueue(entry);
    }
    active--;
    if (active > 0) return;
    const waiting = idle;
    idle = [];
    for (const wake of waiting) wake();
  };

  const event: Recorder['event'] = (object, type, reason, message, more = {}) => {
    if (signal?.aborted) return;
    // As upstream's broadcaster: what finds the queue full is not even looked at.
    if (queue.length >= queueLimit) return drop(`${queueLimit} events wait already`);
    const nowMs = clock.now();
    const facts = factsOf(options, object, { type, reason, message, more });
    const correlated = correlator.correlate(facts, nowMs);
    if (!correlated) return;
    const known = entries.get(correlated.key);
    const entry = known ?? {
      event: newEvent(facts, object, more, nameOf(object)),
      created: false,
      state: 'idle',
      again: false,
    };
    const { count = 0, firstTimestamp = toTime(nowMs) } = entry.event;
    const said = { message: cut(correlated.message), count: count + 1, firstTimestamp, lastTimestamp: toTime(nowMs) };
    entry.event = { ...entry.event, ...said };
    entries.delete(correlated.key);
    entries.set(correlated.key, entry);
    if (entries.size > memory) forgetOldest(entries);
    enqueue(entry);
  };

  const flush = async () => {
    if (active === 0) return;
    await new Promise<void>(resolve => {
      const cancel = clock.after(flushLimitMs, resolve);
      idle.push(() => {
        cancel();
        resolve();
      });
    });
  };

  return {
    event,
    flush,
    get dropped() {
      return dropped;
    },
  };
};

/** Sends the entry as it is now; why it was given up, or undefined. */
const deliver = async (
  options: RecorderOptions,
  entry: Entry,
  nameOf: ReturnType<typeof eventNames>,
): Promise<string | undefined> => {
  const { clock, random, log, signal } = options;
  const backoff = createBackoff(random, retryMs, retryLimitMs);
  let failure: unknown;
  for (let attempt = 1; attempt <= triesPerEvent && !signal?.aborted; attempt++) {
    try {
      await (entry.created ? raiseCount(options.client, entry.event) : options.client.create(eventKind, entry.event));
      entry.created = true;
      return undefined;
    } catch (error) {
      failure = error;
      // Events expire; and a name that is taken was made in the same instant by somebody else.
      if (isReason(error, entry.created ? 'NotFound' : 'AlreadyExists')) {
        const name = nameOf({ metadata: { name: entry.event.involvedObject?.name ?? '' } });
        entry.event = { ...entry.event, metadata: { ...entry.event.metadata, name } };
        entry.created = false;
      } else if (isPassing(error)) await clock.sleep(backoff.next(), signal);
      else break;
    }
  }
  log.debug({ err: failure, reason: entry.event.reason, about: entry.event.involvedObject }, 'event not recorded');
  return failure instanceof Error ? failure.message : 'the recorder was stopped';
};

const raiseCount = (client: Client, event: Event): Promise<unknown> => {
  const { name, namespace } = event.metadata;
  const { count, lastTimestamp, message } = event;
  const ref = { name, ...(namespace === undefined ? {} : { namespace }) };
  return client.patch(eventKind, ref, { type: 'merge', body: { count, lastTimestamp, message } });
};

/** Worth trying again: the server is away, busy or broken; anything else it will refuse again. */
const isPassing = (error: unknown): boolean => error instanceof ApiError && (error.code === 429 || error.code >= 500);

const forgetOldest = (entries: Map<string, Entry>): void => {
  for (const [key, entry] of entries) {
    if (entry.state !== 'idle') continue;
    entries.delete(key);
    return;
  }
};

/** Room below a millisecond: a first name lies in its lower half, so that many can follow. */
const nanosOfName = 500_000;

/**
 * Names of Events, `<object>.<nanoseconds in hex>` as client-go's. The nanoseconds below a millisecond are random, but
 * always more than those before: kubectl shows events of one second in the order of their names.
 */
const eventNames = (clock: Clock, random: Random): ((object: Pick<Involved, 'metadata'>) => string) => {
  let last = 0n;
  return object => {
    const now = BigInt(Math.floor(clock.now())) * 1_000_000n + BigInt(Math.floor(random.next() * nanosOfName));
    last = now > last ? now : last + 1n;
    return `${object.metadata.name}.${last.toString(16).padStart(16, '0')}`;
  };
};

const cut = (message: string): string =>
  message.length <= messageLimit ? message : `${message.slice(0, messageLimit - 3)}...`;

const factsOf = (
  options: RecorderOptions,
  { apiVersion, kind, metadata }: Involved,
  said: { type: string; reason: string; message: string; more: EventDetails },
): EventFacts => ({
  component: said.more.component ?? options.component,
  host: options.host ?? '',
  involved: {
    apiVersion,
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    fieldPath: said.more.fieldPath ?? '',
  },
  type: said.type,
  reason: said.reason,
  message: said.message,
});

/** Events about cluster-scoped objects are in namespace `default`, as upstream. */
const newEvent = (facts: EventFacts, { metadata }: Involved, more: EventDetails, name: string): Event => {
  const { apiVersion, kind, namespace, uid, fieldPath } = facts.involved;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name,
      namespace: namespace === '' ? 'default' : namespace,
      ...(more.annotations ? { annotations: { ...more.annotations } } : {}),
    },
    involvedObject: {
      kind,
      ...(namespace === '' ? {} : { namespace }),
      name: metadata.name,
      ...(uid === '' ? {} : { uid }),
      apiVersion,
      ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
      ...(fieldPath === '' ? {} : { fieldPath }),
    },
    reason: facts.reason,
    message: facts.message,
    source: { component: facts.component, ...(facts.host === '' ? {} : { host: facts.host }) },
    type: facts.type,
    reportingComponent: facts.component,
    reportingInstance: facts.host,
  };
};
