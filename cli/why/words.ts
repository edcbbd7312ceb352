/** What the parts of `berth why`'s text share. */
import type { Paint } from '../output/paint.ts';

export interface TextOptions {
  readonly nowMs: number;
  readonly paint: Paint;
  /** `--scores`: raw and normalized scores too. */
  readonly allScores: boolean;
}

export const milliseconds = (ms: number): string => (ms < 1 ? '<1 ms' : `${Math.round(ms)} ms`);
