/**
 * How long `berth up` takes on an empty data folder: until the API answers, until the command returns with all nodes ready,
 * and until a pod applied then is Running. Measured from outside, from the start of the command's process.
 */
import { spawn } from 'node:child_process';
import { request } from 'node:https';
import { join } from 'node:path';
import { freePort } from '#test/faults/berth.ts';
import { type Bed, onBed } from './bed.ts';
import { benchPod, Cluster, prepareEngine } from './cluster.ts';
import { type Bench, type BenchResult, quantile, round } from './result.ts';

const runs = 5;
const runsLimitMs = 30_000;
const bin = join(import.meta.dirname, '..', '..', 'cli', 'bin.js');

export const upBench: Bench = {
  name: 'up',
  about: '`berth up` on an empty folder → API ready, → first pod Running (image present)',
  run: async say => {
    const samples: Sample[] = [];
    const deadlineMs = performance.now() + runsLimitMs;
    for (let i = 0; i < runs && (i < 2 || performance.now() < deadlineMs); i++) {
      samples.push(await onBed(bed => once(bed, i === 0 ? say : () => {})));
      const { apiMs, returnedMs, podMs } = samples.at(-1)!;
      say(`  API ${apiMs} ms, command returned ${returnedMs} ms, pod Running ${podMs} ms`);
    }
    return [
      resultOf('berth up → API ready, p50', samples, 'apiMs', { atMost: 1.0 }),
      resultOf('berth up → nodes Ready and command returned, p50', samples, 'returnedMs'),
      resultOf('berth up → first pod Running, p50', samples, 'podMs', { atMost: 2.0 }),
    ];
  },
};

interface Sample {
  readonly apiMs: number;
  readonly returnedMs: number;
  readonly podMs: number;
}

const resultOf = (
  name: string,
  samples: readonly Sample[],
  field: keyof Sample,
  aim?: { atMost: number },
): BenchResult => ({
  name,
  value: round(
    quantile(
      samples.map(sample => sample[field]),
      0.5,
    ) / 1000,
  ),
  unit: 's',
  ...(aim === undefined ? {} : { aim }),
  raw: { [field]: samples.map(sample => sample[field]) },
});

const once = async (bed: Bed, say: (line: string) => void): Promise<Sample> => {
  await prepareEngine(bed, say);
  const port = await freePort();
  const data = `${bed.folder}/data`;
  const kubeconfig = `${bed.folder}/kubeconfig`;
  // Whatever becomes of the run, `down` ends a cluster that came up and removes its containers.
  bed.defer(() => berth(bed, ['down', '--data', data, '--purge']));
  const startMs = performance.now();
  const sinceMs = () => Math.round(performance.now() - startMs);
  const args = ['up', '--data', data, '--port', String(port), '--node', 'bench', '--kubeconfig', kubeconfig];
  const returned = berth(bed, args).then(sinceMs);
  const apiMs = await Promise.race([apiAnswers(port).then(sinceMs), returned]);
  const returnedMs = await returned;
  const cluster = await Cluster.connect(bed, kubeconfig);
  await cluster.apply(benchPod('first'));
  await cluster.untilRunning(['first']);
  return { apiMs, returnedMs, podMs: sinceMs() };
};

/** A command of the CLI; rejects with what it said when it fails. */
const berth = (bed: Bed, args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], {
      env: bed.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    child.on('error', reject);
    child.on('close', code =>
      code === 0 ? resolve() : reject(new Error(`berth ${args[0]}: exit code ${code}\n${said}`)),
    );
  });

const pollMs = 5;
const patienceMs = 20_000;

/** Resolves when /readyz answers 200. */
const apiAnswers = async (port: number): Promise<void> => {
  const deadlineMs = performance.now() + patienceMs;
  while (!(await isReady(port))) {
    if (performance.now() > deadlineMs) throw new Error(`the API does not answer within ${patienceMs / 1000} s`);
    await new Promise(resolve => setTimeout(resolve, pollMs));
  }
};

const isReady = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    // Its CA is made in this very moment; only whether it answers is asked.
    const call = request(
      { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false },
      response => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    call.on('error', () => resolve(false));
    call.end();
  });
