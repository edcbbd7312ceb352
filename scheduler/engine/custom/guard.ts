/**
 * Keeps the faults of custom plugins away from the engine. What a plugin throws becomes a PluginError that names it and
 * the place in its file; the standing results, which may be half made, are given up. Scores out of range are faults too.
 */
import type { Columns } from '../columns/columns.ts';
import type { ChangeType, FilterPlugin, FilterRun, ScorePlugin, ScoreRun, Trial, WakeTest } from '../plugin.ts';
import { wordOf } from './answers.ts';

/** The attempt at a pod failed because of a plugin. The message is upstream's for a plugin that returns an error. */
export class PluginError extends Error {
  override name = 'PluginError';
  readonly plugin: string;

  constructor(plugin: string, message: string, cause: unknown) {
    super(message, { cause });
    this.plugin = plugin;
  }
}

/** The same filter, but what it throws is a PluginError. */
export const guardedFilter = (plugin: FilterPlugin): FilterPlugin => {
  const { name } = plugin;
  const guarding: Guarding<FilterRun> = {
    wrap: error => new PluginError(name, `running "${name}" filter plugin: ${textOf(error)}`, error),
    main: 'check',
    unprepared: { check: () => false },
    overrides: () => ({}),
  };
  return {
    ...plugin,
    prepare: (shape, columns) => guardedRun(() => plugin.prepare(shape, columns), columns, guarding),
    wokenBy: Object.fromEntries(
      Object.entries(plugin.wokenBy).map(([type, test]) => [type, guardedTest(test)]),
    ) as Partial<Record<ChangeType, WakeTest>>,
  };
};

/** A test that throws wakes: trying the pod tells what is wrong. */
const guardedTest =
  (test: WakeTest): WakeTest =>
  (pod, change, columns) => {
    try {
      return test(pod, change, columns);
    } catch {
      return true;
    }
  };

/** The same score, but what it throws is a PluginError, and so is a score out of range. */
export const guardedScore = (plugin: ScorePlugin): ScorePlugin => {
  const { name, normalization } = plugin;
  const guarding: Guarding<ScoreRun> = {
    wrap: error =>
      error instanceof PluginError
        ? error
        : new PluginError(name, `running Score plugins: plugin "${name}" failed with: ${textOf(error)}`, error),
    main: 'score',
    unprepared: { score: () => false },
    overrides: run => ranged(run, name, normalization),
  };
  return {
    ...plugin,
    prepare: (shape, columns) => guardedRun(() => plugin.prepare(shape, columns), columns, guarding),
  };
};

/** A score that no plugin may give, in upstream's words. */
export const invalidScore = (name: string, score: number): PluginError => {
  const why = `plugin "${name}" returns an invalid score ${score}, it should in the range of [0, 100] after normalizing`;
  return new PluginError(name, `applying score defaultWeights on Score plugins: ${why}`, undefined);
};

/** What is put in place of a run's own methods; undefined: the method is not there. */
type Overrides<R> = { readonly [K in keyof R]?: R[K] | undefined };

/** Final scores are checked to be 0..100, and raw ones that the engine normalizes not to be negative. */
const ranged = (run: ScoreRun, name: string, normalization: ScorePlugin['normalization']): Overrides<ScoreRun> => {
  const check = (nodes: Uint32Array, count: number, out: Int32Array, most: number): void => {
    for (let i = 0; i < count; i++) {
      const score = out[nodes[i]!]!;
      if (score < 0 || score > most) throw invalidScore(name, score);
    }
  };
  const mostRaw = normalization === 'none' ? 100 : 2 ** 24;
  return {
    // It would add straight to the sums, past the check.
    addTo: undefined,
    score(nodes, count, out, population) {
      const counts = run.score(nodes, count, out, population);
      if (counts && normalization !== 'own') check(nodes, count, out, mostRaw);
      return counts;
    },
    normalize(nodes, count, scores) {
      run.normalize?.(nodes, count, scores);
      check(nodes, count, scores, 100);
    },
  };
};

/** A run every method of which throws PluginErrors only. A fault in preparing it comes up when it is first asked. */
const guardedRun = <R extends FilterRun | ScoreRun>(
  prepare: () => R | undefined,
  columns: Columns,
  { wrap, main, unprepared, overrides }: Guarding<R>,
): R | undefined => {
  let target: R;
  let replaced: Overrides<R> = {};
  let fault: { readonly error: unknown } | undefined;
  try {
    const run = prepare();
    if (run === undefined) return undefined;
    if (typeof Reflect.get(Object(run), main) !== 'function')
      throw new Error(`prepare gave ${wordOf(run)}; expected nothing, or an object with ${main}`);
    target = run;
    replaced = overrides(run);
  } catch (error) {
    target = unprepared;
    fault = { error };
  }
  const failed = (error: unknown): PluginError => {
    columns.invalidate();
    return wrap(error);
  };
  const call = (member: (...args: unknown[]) => unknown, args: readonly unknown[]): unknown => {
    if (fault !== undefined) throw fault.error;
    return Reflect.apply(member, target, args);
  };
  return guardedObject<R>(key => {
    const member: unknown = key in replaced ? Reflect.get(replaced, key) : Reflect.get(target, key);
    return typeof member === 'function' ? (...args) => call(member as () => unknown, args) : undefined;
  }, failed);
};

type Method = (...args: unknown[]) => unknown;

/** An object of methods only, each of which throws what `failed` makes of its error; a trial it gives is guarded too. */
const guardedObject = <T extends object>(
  methodOf: (key: PropertyKey) => Method | undefined,
  failed: (error: unknown) => PluginError,
): T => {
  const guarded = new Map<PropertyKey, Method | undefined>();
  const guard =
    (method: Method, key: PropertyKey): Method =>
    (...args) => {
      try {
        const result = method(...args);
        return key === 'trial' ? guardedTrial(result as Trial, failed) : result;
      } catch (error) {
        // What is given up needs no farewell.
        if (key === 'dispose') return undefined;
        throw failed(error);
      }
    };
  return new Proxy({} as T, {
    get(_, key) {
      if (!guarded.has(key)) {
        const method = methodOf(key);
        guarded.set(key, method && guard(method, key));
      }
      return guarded.get(key);
    },
  });
};

const guardedTrial = (trial: Trial, failed: (error: unknown) => PluginError): Trial =>
  guardedObject<Trial>(key => {
    const member: unknown = Reflect.get(trial, key);
    return typeof member === 'function' ? (...args) => Reflect.apply(member, trial, args) as unknown : undefined;
  }, failed);

interface Guarding<R> {
  readonly wrap: (error: unknown) => PluginError;
  /** What a run cannot do without. */
  readonly main: 'check' | 'score';
  readonly unprepared: R;
  readonly overrides: (run: R) => Overrides<R>;
}

const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const place = placeOf(error);
  return place === undefined ? error.message : `${error.message} (${place})`;
};

/** `zone-hash.ts:7:20`: the innermost place of the stack, when it is in a file of its own and not in Berth's engine. */
const placeOf = ({ stack = '' }: Error): string | undefined => {
  const [, first = ''] = stack.split('\n    at ');
  const place = /(?:\(|at |^)(?:file:\/\/)?([^()\s]+):(\d+):(\d+)\)?$/.exec(first.trim());
  if (place === null || place[1]!.includes('/scheduler/engine/')) return undefined;
  return `${place[1]!.slice(place[1]!.lastIndexOf('/') + 1).replace(/\?.*$/, '')}:${place[2]}:${place[3]}`;
};
