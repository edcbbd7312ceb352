/** What a benchmark gives: ratios and counts measured in one run, with the raw numbers they come from. */
export interface BenchResult {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is measured against, where there is an aim: `≤ 1.5` or `≥ 8000`. */
  readonly aim?: { readonly atMost: number } | { readonly atLeast: number };
  /** Raw samples and figures, kept so that a reader can check. */
  readonly raw: Readonly<Record<string, number | string | readonly (number | Readonly<Record<string, number>>)[]>>;
}

export interface Bench {
  readonly name: string;
  readonly about: string;
  run(say: (line: string) => void): Promise<readonly BenchResult[]>;
}

/** The q-quantile (0..1) by linear interpolation between order statistics. */
export const quantile = (samples: readonly number[], q: number): number => {
  const sorted = [...samples].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
};

export const met = ({ aim, value }: BenchResult): boolean | undefined =>
  aim === undefined ? undefined : 'atMost' in aim ? value <= aim.atMost : value >= aim.atLeast;

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));
