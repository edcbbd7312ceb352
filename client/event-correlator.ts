/**
 * Decides what becomes of an event before it is sent, as client-go's correlator does: the same event again raises a
 * count, many similar ones (same object, type, reason; other messages) are combined into one, and an object that
 * produces events without end is cut off. Pure but for its own bounded memory; time comes in with each event.
 */
export interface EventFacts {
  readonly component: string;
  readonly host: string;
  readonly involved: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly apiVersion: string;
    readonly fieldPath: string;
  };
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export interface Correlated {
  /** Events with the same key are one Event object, whose count rises. */
  readonly key: string;
  readonly message: string;
}

/** Different messages of one object, type and reason within the interval, from which on they are combined. */
const similarLimit = 10;
const similarIntervalMs = 600_000;
const spamBurst = 25;
const spamRefillMs = 300_000;
/** Keys remembered of each sort; the longest unused are forgotten first. */
const memory = 4096;

export class EventCorrelator {
  readonly #similar = new Map<string, { messages: Set<string>; lastMs: number }>();
  readonly #budgets = new Map<string, { tokens: number; atMs: number }>();

  /** What to record, or undefined when the object has used up its budget of events. */
  correlate(event: EventFacts, nowMs: number): Correlated | undefined {
    const correlated = this.#combine(event, nowMs);
    return this.#spend(sourceKey(event), nowMs) ? correlated : undefined;
  }

  #combine(event: EventFacts, nowMs: number): Correlated {
    const key = JSON.stringify([sourceKey(event), event.type, event.reason]);
    const known = this.#similar.get(key);
    const seen =
      known && nowMs - known.lastMs <= similarIntervalMs ? known : { messages: new Set<string>(), lastMs: nowMs };
    seen.messages.add(event.message);
    seen.lastMs = nowMs;
    remember(this.#similar, key, seen);
    if (seen.messages.size < similarLimit) {
      return {
        key: JSON.stringify([sourceKey(event), event.involved.fieldPath, event.type, event.reason, event.message]),
        message: event.message,
      };
    }
    const [oldest] = seen.messages;
    if (oldest !== undefined) seen.messages.delete(oldest);
    return { key, message: `(combined from similar events): ${event.message}` };
  }

  #spend(key: string, nowMs: number): boolean {
    const budget = this.#budgets.get(key) ?? { tokens: spamBurst, atMs: nowMs };
    budget.tokens = Math.min(spamBurst, budget.tokens + (nowMs - budget.atMs) / spamRefillMs);
    budget.atMs = nowMs;
    const allowed = budget.tokens >= 1;
    if (allowed) budget.tokens--;
    remember(this.#budgets, key, budget);
    return allowed;
  }
}

const sourceKey = ({ component, host, involved: { kind, namespace, name, uid, apiVersion } }: EventFacts): string =>
  JSON.stringify([component, host, kind, namespace, name, uid, apiVersion]);

const remember = <V>(map: Map<string, V>, key: string, value: V): void => {
  map.delete(key);
  map.set(key, value);
  if (map.size <= memory) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
};
