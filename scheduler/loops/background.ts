/** Work that goes on beside a loop, bounded: so many pieces at a time, and whoever starts them waits for room. */
import type { Log } from '#base/log.ts';

export interface Background {
  /** False while as much is under way as may be. */
  readonly hasRoom: boolean;
  /** Resolves when there is room again. */
  room(): Promise<void>;
  /** Starts `work` at once; that it failed is logged, with what it was and the pod it was for. */
  run(work: () => Promise<void>, what: string, pod: string): void;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}

export const createBackground = (limit: number, log: Log): Background => {
  const underWay = new Set<Promise<void>>();
  let waiting: (() => void)[] = [];
  return {
    get hasRoom() {
      return underWay.size < limit;
    },
    room: () => (underWay.size < limit ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))),
    run(work, what, pod) {
      const running = work()
        .catch(error => log.error({ err: error, pod }, `${what} failed`))
        .finally(() => {
          underWay.delete(running);
          const resume = waiting;
          waiting = [];
          for (const go of resume) go();
        });
      underWay.add(running);
    },
    async settled() {
      while (underWay.size > 0) await Promise.allSettled([...underWay]);
    },
  };
};
