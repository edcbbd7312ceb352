/** Who may run beside whom: holders of different names together, of one name one after another, and `alone` with nobody. */
export class Turns {
  #running = new Map<string, number>();
  #alone = false;
  #waiting: (() => boolean)[] = [];

  /** Runs `work` when its turn comes; turns are given in the order they are asked for, as far as they can be. */
  async take<T>(name: string, alone: boolean, work: () => Promise<T>): Promise<T> {
    await new Promise<void>(resolve => {
      this.#waiting.push(() => {
        const free = alone ? this.#running.size === 0 && !this.#alone : !this.#alone && !this.#running.has(name);
        if (!free) return false;
        if (alone) this.#alone = true;
        else this.#running.set(name, 1);
        resolve();
        return true;
      });
      this.#next();
    });
    try {
      return await work();
    } finally {
      if (alone) this.#alone = false;
      else this.#running.delete(name);
      this.#next();
    }
  }

  #next(): void {
    this.#waiting = this.#waiting.filter(start => !start());
  }
}
