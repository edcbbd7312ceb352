/** What a command may touch of the world around it; the process gives the real one, tests give their own. */
import type { Clock } from '#base/clock.ts';

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  /** Aborts on SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  /** True when stdout is a terminal that shows colours. */
  readonly colour: boolean;
  out(text: string | Uint8Array): void;
  err(text: string): void;
  /** Resolves when the reader of our output has kept up; awaited wherever output may go on for ever. */
  drain(): Promise<void>;
  /** All of stdin. */
  readStdin(): Promise<string>;
}
