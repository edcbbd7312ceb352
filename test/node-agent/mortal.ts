/** What a process holds of its world, for tests that kill it: from then on its calls go nowhere and no answer comes back. */

export interface Life {
  isOver: boolean;
}

export interface MortalOptions {
  /** The way there and the way back of each call. */
  readonly travel?: () => Promise<void>;
  /** Members that answer at once instead of promising to. */
  readonly sync?: readonly string[];
}

type Method = (...args: unknown[]) => unknown;

/**
 * The target as a process has it. A call that is under way when the life ends still reaches the target, as a request
 * that was sent does.
 */
export const mortal = <T extends object>(target: T, life: Life, options: MortalOptions = {}): T => {
  const { travel = async () => {}, sync = [] } = options;
  const promised = async (call: () => unknown): Promise<unknown> => {
    if (life.isOver) return never();
    try {
      await travel();
      const answer = await call();
      await travel();
      return life.isOver ? never() : answer;
    } catch (error) {
      if (life.isOver) return never();
      throw error;
    }
  };
  return new Proxy(target, {
    get: (_, key) => {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function' || sync.includes(String(key))) return member;
      const call = (args: readonly unknown[]): unknown => (member as Method).apply(target, [...args]);
      if (key === 'watch')
        return (...args: unknown[]) => mortalStream(() => call(args) as AsyncIterable<unknown>, life);
      return (...args: unknown[]) => promised(() => call(args));
    },
  });
};

async function* mortalStream(open: () => AsyncIterable<unknown>, life: Life): AsyncGenerator<unknown, void> {
  if (life.isOver) await never();
  for await (const item of open()) {
    if (life.isOver) await never();
    yield item;
  }
  if (life.isOver) await never();
}

const never = (): Promise<never> => new Promise(() => {});
