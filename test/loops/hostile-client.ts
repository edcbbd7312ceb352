/**
 * A client as a bad day makes it: requests fail before or after they took effect or take their time, watches break and
 * lists are refused, all drawn from a seed. It keeps what the scheduler behind it was told, and checks each binding asked
 * for against that by the plain reference.
 */
import { setImmediate } from 'node:timers/promises';
import { type Node, namespaceKind, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { type KubeObject, keyOf } from '#api/object.ts';
import { conflict, expired, internalError, unavailable } from '#api/status.ts';
import type { Clock } from '#base/clock.ts';
import { below, type Random } from '#base/random.ts';
import type { Client, WatchEvent } from '#client/client.ts';
import { decidePlainly } from '#test/engine/reference/reference.ts';

export const faults = ['binding', 'status', 'removal', 'slowness', 'watches'] as const;
export type Fault = (typeof faults)[number];

export const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

export class HostileClient {
  readonly client: Client;
  /** What goes wrong at present, two times out of three. */
  readonly faults = new Set<Fault>();
  /** Bindings that were asked for although the reference would not have. */
  readonly wrong: string[] = [];
  /** Bindings that were checked, and requests to evict a pod. */
  checked = 0;
  evictions = 0;
  readonly #plain: Client;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #watches = new Set<() => void>();
  /** What was told, by kind and key. */
  readonly #told = new Map<string, Map<string, KubeObject>>();
  /** Bindings asked for of which nothing was told yet. */
  readonly #asked = new Map<string, Pod>();
  /** Deliveries under way: nobody can say whether the scheduler has them. */
  #underWay = 0;

  constructor(plain: Client, clock: Clock, random: Random) {
    this.#plain = plain;
    this.#clock = clock;
    this.#random = random;
    this.client = {
      ...plain,
      list: async (kind, options) => {
        if (this.#strikes('watches')) throw unavailable('the server is busy');
        const page = await plain.list(kind, options);
        this.#relisted(kind.kind, page.items);
        return page;
      },
      watch: (kind, options) => this.#watch(kind as never, options) as never,
      patch: async (kind, ref, patch, options) => this.#send('status', () => plain.patch(kind, ref, patch, options)),
      remove: async (kind, ref, options) => {
        this.evictions++;
        return this.#send('removal', () => plain.remove(kind, ref, options));
      },
      post: async (kind, ref, subresource, body) => {
        const key = `${ref.namespace}/${ref.name}`;
        this.#asking(key, (body as { target: { name?: string } }).target.name ?? '');
        try {
          await this.#send('binding', () => plain.post(kind, ref, subresource, body));
        } catch (error) {
          this.#asked.delete(key);
          throw error;
        }
      },
    };
  }

  /** Ends every watch with an error. */
  breakWatches(): void {
    for (const end of [...this.#watches]) end();
  }

  #strikes(fault: Fault): boolean {
    return this.faults.has(fault) && below(this.#random, 3) > 0;
  }

  async #send<T>(fault: Fault, request: () => Promise<T>): Promise<T> {
    if (this.#strikes('slowness')) await this.#clock.sleep(below(this.#random, 4000));
    if (!this.#strikes(fault)) return request();
    const failures = [
      internalError('something went wrong'),
      unavailable('the server is busy'),
      conflict({ group: '', plural: 'pods' }, 'it', 'the object has been modified'),
      new Error('socket hang up'),
    ];
    // Half of the failures come after the request took effect.
    if (below(this.#random, 2) === 0) await request();
    throw failures[below(this.#random, failures.length)];
  }

  async *#watch(kind: typeof podKind, options: Parameters<Client['watch']>[1]) {
    let isBroken = false;
    let end: () => void = () => {};
    const broken = new Promise<undefined>(resolve => {
      end = () => {
        isBroken = true;
        resolve(undefined);
      };
    });
    const anError = () =>
      [expired('too old'), new Error('socket hang up'), unavailable('the server is busy')][below(this.#random, 3)];
    this.#watches.add(end);
    try {
      if (this.#strikes('watches')) throw anError();
      const events = this.#plain.watch(kind, options)[Symbol.asyncIterator]();
      for (;;) {
        const next = await Promise.race([events.next(), broken]);
        if (next === undefined || isBroken) {
          void events.return?.();
          throw anError();
        }
        if (next.done) return;
        this.#underWay++;
        yield next.value;
        this.#tell(kind.kind, next.value);
        this.#underWay--;
      }
    } finally {
      this.#watches.delete(end);
    }
  }

  // ── what the scheduler knows ───────────────────────────────────────────────

  #known(kind: string): Map<string, KubeObject> {
    const known = this.#told.get(kind) ?? new Map<string, KubeObject>();
    this.#told.set(kind, known);
    return known;
  }

  #relisted(kind: string, items: readonly KubeObject[]): void {
    this.#known(kind).clear();
    this.#tell(
      kind,
      items.map(object => ({ type: 'ADDED', object })),
    );
    if (kind === 'Pod')
      for (const [key, pod] of this.#asked)
        if (this.#known(kind).get(key)?.metadata.uid !== pod.metadata.uid) this.#asked.delete(key);
    this.#underWay++;
    void setImmediate().then(() => this.#underWay--);
  }

  #tell(kind: string, events: readonly WatchEvent<KubeObject>[]): void {
    for (const event of events) {
      if (event.type === 'BOOKMARK') continue;
      const key = keyOf(event.object);
      if (event.type === 'DELETED') this.#known(kind).delete(key);
      else this.#known(kind).set(key, event.object);
      if (kind !== 'Pod') continue;
      const pod = event.object as Pod;
      if (event.type === 'DELETED' || pod.spec.nodeName !== undefined || isOver(pod)) this.#asked.delete(key);
    }
  }

  /** A binding is asked for: was that right, as far as could be known? */
  #asking(key: string, nodeName: string): void {
    const pod = this.#known('Pod').get(key) as Pod | undefined;
    if (pod === undefined) return;
    const asked = [...this.#asked.values()];
    this.#asked.set(key, { ...pod, spec: { ...pod.spec, nodeName } });
    if (this.#underWay > 0 || this.faults.size > 0) return;
    const all = <T>({ kind }: { readonly kind: string }) =>
      [...this.#known(kind).values()] as readonly unknown[] as T[];
    const placed = all<Pod>(podKind).filter(other => other.spec.nodeName !== undefined && !isOver(other));
    const { feasible } = decidePlainly(pod, {
      nodes: all<Node>(nodeKind),
      pods: [...placed, ...asked],
      namespaces: new Map(all<KubeObject>(namespaceKind).map(({ metadata }) => [metadata.name, metadata.labels ?? {}])),
      services: [],
    });
    this.checked++;
    if (!feasible.includes(nodeName)) this.wrong.push(`${key} to ${nodeName}, not one of [${feasible.join(' ')}]`);
  }
}
