/**
 * Writes a pod's status without holding its worker up: one write at a time, and of those that came meanwhile only the
 * newest. A conflict means that somebody else changed the pod: the fresh object goes back to the worker, which works
 * out the status again.
 */
import type { Pod, PodStatus } from '#api/kinds/core.ts';
import { podKind } from '#api/kinds/core.ts';
import { isReason } from '#api/status.ts';
import { createBackoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { deepEqual } from '#base/deep.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createStop } from '#base/stop.ts';
import type { Client } from '#client/client.ts';

export class StatusWriter {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #written: (pod: Pod) => void;
  readonly #backoff;
  readonly #stop = createStop();
  #next: { readonly pod: Pod; readonly status: PodStatus } | undefined;
  #running: Promise<void> | undefined;
  #last: { readonly asked: PodStatus; readonly stored: PodStatus | undefined } | undefined;

  /** `written` gets the pod as the server has it, after each write and each conflict. */
  constructor(client: Client, clock: Clock, random: Random, log: Log, written: (pod: Pod) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
    this.#written = written;
    this.#backoff = createBackoff(random, 200, 10_000);
  }

  /** Has the status written some time, unless the server has it already. */
  write(pod: Pod, status: PodStatus): void {
    if (!this.#running && this.#isKnown(pod, status)) return;
    this.#next = { pod, status };
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** The server has this status, perhaps in its own form (defaults, fields it does not know). */
  #isKnown(pod: Pod, status: PodStatus): boolean {
    if (deepEqual(pod.status, status)) return true;
    return this.#last !== undefined && deepEqual(this.#last.asked, status) && deepEqual(this.#last.stored, pod.status);
  }

  async stop(): Promise<void> {
    this.#stop.stop();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#next && !this.#stop.signal.aborted) {
      const { pod, status } = this.#next;
      this.#next = undefined;
      if (this.#isKnown(pod, status)) continue;
      try {
        const written = await this.#client.update(podKind, { ...pod, status }, { subresource: 'status' });
        this.#backoff.reset();
        this.#last = { asked: status, stored: written.status };
        this.#follow(written);
      } catch (error) {
        if (isReason(error, 'NotFound')) return; // the informer will say that it is gone
        if (isReason(error, 'Conflict')) await this.#refresh(pod);
        else await this.#failed(error, { pod, status });
      }
    }
  }

  /** What waits was worked out of an older object: write it onto the one just written. */
  #follow(written: Pod): void {
    if (this.#next) this.#next = { pod: written, status: this.#next.status };
    this.#written(written);
  }

  async #refresh(pod: Pod): Promise<void> {
    const { name, namespace = '' } = pod.metadata;
    try {
      const fresh = await this.#client.get(podKind, { namespace, name });
      if (fresh.metadata.uid !== pod.metadata.uid) return;
      this.#next = undefined;
      this.#written(fresh);
    } catch (error) {
      if (!isReason(error, 'NotFound')) await this.#failed(error, undefined);
    }
  }

  async #failed(error: unknown, again: { readonly pod: Pod; readonly status: PodStatus } | undefined): Promise<void> {
    this.#log.warn({ err: error }, 'cannot write a pod status');
    await this.#clock.sleep(this.#backoff.next(), this.#stop.signal);
    this.#next ??= again;
  }
}
