/**
 * Keeps the faults of custom plugins away from the engine. What a plugin throws becomes a PluginError that names it and
 * the place in its file; the standing results, which may be half made, are given up. Scores out of range are faults too.
 */
import type { Columns } from '../columns.ts';
import type { ChangeType, FilterPlugin, FilterRun, ScorePlugin, ScoreRun, WakeTest } from '../plugin.ts';

/** The attempt at a pod failed because of a plugin. The message is upstream's for a plugin that returns an error. */
export class PluginError extends Error {
  override name = 'PluginError';
  readonly plugin: string;

  constructor(plugin: string, message: string, cause: unknown) {
    super(message, { cause });
    this.plugin = plugin;
  }
}

export const guardedFilter = (plugin: FilterPlugin): FilterPlugin => {
  const { name } = plugin;
  const wrap = (error: unknown): PluginError =>
    new PluginError(name, `running "${name}" filter plugin: ${textOf(error)}`, error);
  return {
    ...plugin,
    prepare: (shape, columns) =>
      guardedRun<FilterRun>(() => plugin.prepare(shape, columns), columns, wrap, {
        check() {
          throw new Error('it was not prepared');
        },
      }),
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

export const guardedScore = (plugin: ScorePlugin): ScorePlugin => {
  const { name, normalization } = plugin;
  const wrap = (error: unknown): PluginError =>
    error instanceof PluginError
      ? error
      : new PluginError(name, `running Score plugins: plugin "${name}" failed with: ${textOf(error)}`, error);
  return {
    ...plugin,
    prepare(shape, columns) {
      const make = (): ScoreRun | undefined => {
        const run = plugin.prepare(shape, columns);
        return run === undefined ? undefined : ranged(run, name, normalization);
      };
      return guardedRun<ScoreRun>(make, columns, wrap, {
        score() {
          throw new Error('it was not prepared');
        },
      });
    },
  };
};

/** The run with its final scores checked to be 0..100, and raw ones that are normalized by the engine not to be negative. */
const ranged = (run: ScoreRun, name: string, normalization: ScorePlugin['normalization']): ScoreRun => {
  const check = (nodes: Uint32Array, count: number, out: Int32Array, most: number): void => {
    for (let i = 0; i < count; i++) {
      const score = out[nodes[i]!]!;
      if (score >= 0 && score <= most) continue;
      const why = `plugin "${name}" returns an invalid score ${score}, it should in the range of [0, 100] after normalizing`;
      throw new PluginError(name, `applying score defaultWeights on Score plugins: ${why}`, undefined);
    }
  };
  const target = Object.create(run) as ScoreRun;
  // Adding straight to the sums would pass the check by.
  Object.defineProperty(target, 'addTo', { value: undefined });
  target.score = (nodes, count, out, population) => {
    const counts = run.score(nodes, count, out, population);
    if (counts && normalization !== 'own') check(nodes, count, out, normalization === 'none' ? 100 : 2 ** 24);
    return counts;
  };
  if (run.normalize !== undefined)
    target.normalize = (nodes, count, scores) => {
      run.normalize?.(nodes, count, scores);
      if (normalization === 'own') check(nodes, count, scores, 100);
    };
  return target;
};

/** A run every method of which throws PluginErrors only. A fault in preparing it comes up when it is first asked. */
const guardedRun = <R extends FilterRun | ScoreRun>(
  make: () => R | undefined,
  columns: Columns,
  wrap: (error: unknown) => PluginError,
  unprepared: R,
): R | undefined => {
  const failed = (error: unknown): PluginError => {
    columns.epoch++;
    return wrap(error);
  };
  let run: R | undefined;
  let fault: { readonly error: unknown } | undefined;
  try {
    run = make();
    if (run === undefined) return undefined;
  } catch (error) {
    fault = { error };
  }
  const target = run ?? unprepared;
  const guarded = new Map<PropertyKey, unknown>();
  return new Proxy({} as R, {
    get(_, key) {
      const known = guarded.get(key);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      const method = (...args: unknown[]): unknown => {
        try {
          if (fault !== undefined) throw fault.error;
          return Reflect.apply(member, target, args);
        } catch (error) {
          // What is given up needs no farewell.
          if (key === 'dispose') return undefined;
          throw failed(error);
        }
      };
      guarded.set(key, method);
      return method;
    },
  });
};

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
