/** Upstream's workloads that workloads.json only names, as far as Berth has what they need: at upstream's smallest sizes. */
import { expect } from 'vitest';
import type { Pod } from '#api/kinds/core.ts';
import { defaultNodes, type Start } from './happening.ts';
import { expectAllBound, podsByNode } from './outcome.ts';
import { podOf } from './pods.ts';

type Run = (start: Start) => Promise<void>;

const hostname = 'kubernetes.io/hostname';

/** As many pods as nodes, and room for one on each: by its host port, or by its cpu. */
const batching: Run = async start => {
  const cluster = await start();
  await cluster.nodes(defaultNodes(10));
  const portOf = (i: number): Pod => podOf(`port-${i}`, { hostPort: 80 });
  const bigOf = (i: number): Pod => podOf(`big-${i}`, { requests: { cpu: '3' } });
  const pods = Array.from({ length: 10 }, (_, i) => [portOf(i), bigOf(i)]).flat();
  await cluster.pods(pods);
  await cluster.pass(1000);
  const outcome = cluster.outcome([], pods);
  expectAllBound(outcome);
  for (const placed of podsByNode(outcome).values())
    expect(placed.map(({ metadata }) => metadata.name.replace(/-.*/, '')).sort()).toEqual(['big', 'port']);
};

/** Important pods that can never fit are woken each second by what comes and goes; ordinary pods must not wait for them. */
const starvation: Run = async start => {
  const cluster = await start();
  await cluster.nodes(defaultNodes(10));
  const target = [{ topologyKey: hostname, labelSelector: { matchLabels: { service: 'target' } } }];
  const cloggers = Array.from({ length: 100 }, (_, i) =>
    podOf(`clogger-${i}`, {
      priority: 1000,
      spec: {
        affinity: {
          podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: target },
          podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: target },
        },
      },
    }),
  );
  const churn = Array.from({ length: 10 }, (_, i) => podOf(`churn-${i}`, { labels: { service: 'target' } }));
  const prone = Array.from({ length: 50 }, (_, i) => podOf(`prone-${i}`, { requests: { cpu: '100m' } }));
  await cluster.pods(cloggers);
  await cluster.pass(1000);
  await cluster.repeat(churn.length, 1000, async round => {
    if (round > 0) await cluster.removePod(churn[round - 1]!);
    const mine = prone.filter((_, i) => i % churn.length === round);
    await cluster.pods([churn[round]!, ...mine]);
    await cluster.pass(0);
    expect(cluster.bound(mine)).toHaveLength(mine.length);
  });
  expect(cluster.bound(cloggers)).toHaveLength(0);
  expect(cluster.counters.attempts.unschedulable).toBeGreaterThan(10 * cloggers.length);
};

/** Pods push others out, wave after wave, while ordinary ones come and go ten times a second. */
const stress: Run = async start => {
  const cluster = await start();
  await cluster.nodes(defaultNodes(5));
  const wave = (prefix: string, count: number, cpu: string, priority: number): Pod[] =>
    Array.from({ length: count }, (_, i) => podOf(`${prefix}-${i}`, { requests: { cpu }, priority }));
  const low = wave('low', 20, '900m', 100);
  const high = wave('high', 5, '3', 1000);
  const churn = wave('churn', 30, '50m', 0);
  await cluster.pods(low);
  await cluster.pass(100);
  await cluster.repeat(churn.length, 100, async round => {
    if (round > 0) await cluster.removePod(churn[round - 1]!);
    await cluster.pods([churn[round]!, ...high.filter((_, i) => i === round)]);
  });
  await cluster.until(() => cluster.bound(high).length === high.length);
  expectAllBound(cluster.outcome(cluster.now([...low, ...churn]), high));
  expect(cluster.now(low)).toHaveLength(5);
  // A second wave of less important pods finds no room, and pushes nobody out.
  const second = wave('second', 20, '900m', 100);
  await cluster.pods(second);
  await cluster.pass(10_000);
  expect(cluster.bound(second)).toHaveLength(0);
  expect(cluster.bound(high)).toHaveLength(5);
};

/** By the file's names. */
export const beyond: Readonly<Record<string, Run>> = { batching, starvation, stress };
