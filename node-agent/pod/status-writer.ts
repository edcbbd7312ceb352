/**
 * Writes a pod's status without holding its worker up: one write at a time, and of those that came meanwhile only the
 * newest. A conflict means that somebody else changed the pod. After each write and each conflict the object goes back to
 * the worker, which works out the status again: what was worked out of an older object is never written onto a newer one.
 */
import type { Pod, PodStatus } from '#api/kinds/core.ts';
import { podKind } from '#api/kinds/core.ts';
import { isNewer } from '#api/object.ts';
import { isReason } from '#api/status.ts';
import { createBackoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { deepEqual } from '#base/deep.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createStop } from '#base/stop.ts';
import type { Client } from '#client/client.ts';

interface Asked {
  readonly pod: Pod;
  readonly status: PodStatus;
}

export class StatusWriter {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #written: (pod: Pod) => void;
  readonly #backoff;
  readonly #stop = createStop();
  #next: Asked | undefined;
  #isWriting = false;
  #ended: Promise<void> = Promise.resolve();
  #last: { readonly asked: PodStatus; readonly stored: PodStatus | undefined } | undefined;

  /** `written` gets the pod as the server has it, after each write and each conflict. */
  constructor(client: Client, clock: Clock, random: Random, log: Log, written: (pod: Pod) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
    this.#written = written;
    this.#backoff = createBackoff(random, 200, 10_000);
  }

  /** Has the status written some time, unless the server has it already. `pod`: what it was worked out of. */
  write(pod: Pod, status: PodStatus): void {
    if (!this.#isWriting && this.#isKnown(pod, status)) return;
    this.#next = { pod, status };
    if (!this.#isWriting) this.#ended = this.#run();
  }

  /** The server has this status, perhaps in its own form (defaults, fields it does not know). */
  #isKnown(pod: Pod, status: PodStatus): boolean {
    if (deepEqual(pod.status, status)) return true;
    return this.#last !== undefined && deepEqual(this.#last.asked, status) && deepEqual(this.#last.stored, pod.status);
  }

  async stop(): Promise<void> {
    this.#stop.stop();
    await this.#ended;
  }

  async #run(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#next && !this.#stop.signal.aborted) {
        const asked = this.#next;
        this.#next = undefined;
        if (!this.#isKnown(asked.pod, asked.status)) await this.#try(asked);
      }
    } finally {
      this.#isWriting = false;
    }
  }

  async #try(asked: Asked): Promise<void> {
    const { pod, status } = asked;
    try {
      const written = await this.#client.update(podKind, { ...pod, status }, { subresource: 'status' });
      this.#backoff.reset();
      this.#last = { asked: status, stored: written.status };
      this.#changed(written);
    } catch (error) {
      // Of a pod that is gone the informer tells.
      if (isReason(error, 'NotFound')) return;
      if (isReason(error, 'Conflict')) await this.#refresh(asked);
      else await this.#failed(error, asked);
    }
  }

  async #refresh(asked: Asked): Promise<void> {
    const { name, namespace = '', uid } = asked.pod.metadata;
    try {
      const fresh = await this.#client.get(podKind, { namespace, name });
      if (fresh.metadata.uid === uid) this.#changed(fresh);
    } catch (error) {
      if (!isReason(error, 'NotFound')) await this.#failed(error, asked);
    }
  }

  /**
   * The server has this now. What waits is dropped when it was worked out of an older object (the worker does that again
   * with this one), and kept when not: the worker knows the object already, and would not do it again.
   */
  #changed(fresh: Pod): void {
    if (this.#next && isNewer(fresh, this.#next.pod)) this.#next = undefined;
    this.#written(fresh);
  }

  async #failed(error: unknown, asked: Asked): Promise<void> {
    this.#log.warn({ err: error }, 'cannot write a pod status');
    await this.#clock.sleep(this.#backoff.next(), this.#stop.signal);
    this.#next ??= asked;
  }
}
