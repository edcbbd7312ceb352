/**
 * `npm run bench [-- NAME…] [--json]`: runs the benchmarks and prints each figure with its aim. Every figure is a ratio or a count measured
 * in this one run; the raw samples go to test/bench/results/ or, with --json, to standard output.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Bench, type BenchResult, met } from './result.ts';

/** Loaded when asked for, so that a benchmark runs with nothing else in its process. */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  start: async () => (await import('./start.ts')).startBench,
  up: async () => (await import('./up.ts')).upBench,
  agent: async () => (await import('./agent.ts')).agentBench,
  http: async () => (await import('./scheduler-http.ts')).schedulerHttpBench,
  turns: async () => (await import('./scheduler-turns.ts')).schedulerTurnsBench,
  scheduler: async () => (await import('./scheduler.ts')).schedulerBench,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
});

const line = ({ name, value, unit, aim }: BenchResult, ok: boolean | undefined): string => {
  const wanted = aim === undefined ? '' : 'atMost' in aim ? `aim ≤ ${aim.atMost}` : `aim ≥ ${aim.atLeast}`;
  const verdict = ok === undefined ? '' : ok ? 'met' : 'MISSED';
  return `${name.padEnd(58)} ${String(value).padStart(10)} ${unit.padEnd(8)} ${wanted.padEnd(14)} ${verdict}`.trimEnd();
};

const main = async (): Promise<number> => {
  const names = positionals.length === 0 ? Object.keys(benches) : positionals;
  const unknown = names.filter(name => benches[name] === undefined);
  if (values.help || unknown.length > 0) {
    if (unknown.length > 0) console.error(`error: no benchmark called ${unknown.join(', ')}`);
    console.error(`usage: npm run bench -- [${Object.keys(benches).join('|')}]… [--json]`);
    return values.help ? 0 : 1;
  }
  const say = (text: string) => console.error(text);
  const results: BenchResult[] = [];
  for (const name of names) {
    const bench = await benches[name]!();
    say(`— ${bench.name}: ${bench.about}`);
    const measured = await bench.run(say);
    results.push(...measured);
    if (!values.json) for (const result of measured) console.log(line(result, met(result)));
  }
  const report = { at: new Date().toISOString(), cpus: cpus().map(cpu => cpu.model), node: process.version, results };
  if (values.json) console.log(JSON.stringify(report));
  else {
    const folder = new URL('./results/', import.meta.url);
    mkdirSync(folder, { recursive: true });
    const file = new URL(`${names.join('-')}.json`, folder);
    writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`);
    say(`raw figures: ${file.pathname}`);
  }
  return 0;
};

process.exitCode = await main();
