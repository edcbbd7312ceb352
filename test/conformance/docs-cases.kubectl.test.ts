/**
 * The Kubernetes documentation's examples with stock kubectl on real containers: every case that needs nothing from later
 * work (excluded-cases.ts has the rest). Cases run beside each other where they do not touch the nodes.
 */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { caseScripts } from './case-scripts.ts';
import { allCases, type Case, ownNamespace } from './cases.ts';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { excludedCases } from './excluded-cases.ts';
import { runCase } from './run-case.ts';
import { Turns } from './turns.ts';

/** The slow ones first, so that nothing is waited for at the end. */
const slowFirst = ['restart-backoff', 'mem-over-limit-oom', 'liveness-http', 'cpu-throttled', 'mem-within-limit'];
const rank = (found: Case): number => (slowFirst.includes(found.id) ? slowFirst.indexOf(found.id) : slowFirst.length);
const cases = allCases.filter(found => excludedCases[found.id] === undefined).sort((a, b) => rank(a) - rank(b));

const caseTimeoutMs = 420_000;

const suite = (title: string, nodes: readonly string[], chosen: readonly Case[]) =>
  describe(title, () => {
    let cluster: TestCluster | undefined;
    let names: readonly string[] = [];
    const turns = new Turns();

    beforeAll(async () => {
      cluster = await startTestCluster(nodes);
      const listed = await cluster.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}']);
      names = listed.stdout.trim().split(' ').sort();
    });

    afterAll(async () => {
      await cluster?.stop();
    });

    for (const found of chosen) {
      const script = caseScripts[found.id] ?? {};
      const name = ownNamespace(found) ?? (script.inDefault ? 'default' : found.id);
      test.concurrent(`${found.id}: ${found.documented}`, { timeout: caseTimeoutMs }, () =>
        turns.take(name, script.alone === true, () => runCase(cluster!, names, found, script)),
      );
    }
  });

suite(
  'on one node',
  [],
  cases.filter(found => !caseScripts[found.id]?.severalNodes),
);
suite(
  'on four nodes',
  [1, 2, 3, 4].map(i => `node${i}=cpu:1,memory:1Gi`),
  cases.filter(found => caseScripts[found.id]?.severalNodes),
);
