/**
 * Looking at part of the nodes (percentageOfNodesToScore): which nodes are looked at, and where the next pod begins, against
 * a computation that follows SEMANTICS F.4 step by step and knows nothing of the engine.
 */
import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import { seededRandom } from '#base/random.ts';
import { Columns } from '#engine/columns/columns.ts';
import type { Profile } from '#engine/profile.ts';
import { firstOfTies, schedule } from '#engine/schedule.ts';
import { nodesToFind } from '#engine/search/sampling.ts';
import { profileOf } from '../config/yaml.ts';

const node = (i: number, zone: string, cpu = 64): Node =>
  ({
    metadata: { name: `n${i}`, labels: { 'topology.kubernetes.io/zone': zone } },
    status: { allocatable: { cpu: String(cpu), memory: '64Gi', pods: '110' } },
  }) as unknown as Node;

const podOf = (i: number, cpu: number, more: object = {}): Pod =>
  ({
    metadata: { name: `p${i}`, namespace: 'default', uid: `u${i}` },
    spec: {
      containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: String(cpu), memory: '1Gi' } } }],
      ...more,
    },
  }) as unknown as Pod;

/** Nodes one by one from each zone in turn, zones and nodes in the order of their arrival. */
const roundRobin = (nodes: readonly Node[]): string[] => {
  const zones = new Map<string, string[]>();
  for (const { metadata } of nodes) {
    const zone = metadata.labels?.['topology.kubernetes.io/zone'] ?? '';
    zones.set(zone, [...(zones.get(zone) ?? []), metadata.name]);
  }
  const order: string[] = [];
  while ([...zones.values()].some(names => names.length > 0))
    for (const names of zones.values()) {
      const next = names.shift();
      if (next !== undefined) order.push(next);
    }
  return order;
};

/** A cluster that has nothing but cpu, scored by what is left of it, and upstream's way through its nodes. */
class PlainScheduler {
  readonly #order: readonly string[];
  readonly #free: Map<string, number>;
  readonly #percentage: number;
  #start = 0;
  looked = 0;

  constructor(nodes: readonly Node[], percentage: number) {
    this.#order = roundRobin(nodes);
    this.#percentage = percentage;
    this.#free = new Map(nodes.map(({ metadata, status }) => [metadata.name, Number(status?.allocatable?.['cpu'])]));
  }

  #wanted(): number {
    const count = this.#order.length;
    if (count < 100) return count;
    const percentage = this.#percentage === 0 ? Math.max(50 - Math.floor(count / 125), 5) : this.#percentage;
    return Math.max(Math.floor((count * percentage) / 100), 100);
  }

  /** How many nodes were found, and the best of them: any of those may be taken. */
  look(cpu: number): { readonly found: number; readonly best: readonly string[] } {
    const found: string[] = [];
    let looked = 0;
    const count = this.#order.length;
    while (looked < count && found.length < Math.min(this.#wanted(), count)) {
      const name = this.#order[(this.#start + looked) % count]!;
      if (this.#free.get(name)! >= cpu) found.push(name);
      looked++;
    }
    this.#start = (this.#start + looked) % count;
    this.looked += looked;
    const most = Math.max(...found.map(name => this.#free.get(name)!));
    return { found: found.length, best: found.filter(name => this.#free.get(name) === most) };
  }

  take(name: string, cpu: number): void {
    this.#free.set(name, this.#free.get(name)! - cpu);
  }
}

/** Only by free cpu, finely enough for one cpu of 64 to show. */
const byCpu = (percentage: string): Profile =>
  profileOf(`${percentage}
profiles:
- plugins:
    score: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesFit}]}
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: LeastAllocated, resources: [{name: cpu}]}}
`);

const clusterOf = (count: number): readonly Node[] => {
  const zones = ['a', 'b', 'c'];
  // Zones of unequal size, and not one after the other.
  return Array.from({ length: count }, (_, i) => node(i, zones[((i * i) % 5) % 3]!, 100));
};

describe('how many nodes are enough', () => {
  test.each([
    [99, 0, 99],
    [100, 0, 100],
    [500, 0, 230],
    [1000, 0, 420],
    [5000, 0, 500],
    [6000, 0, 300],
    [1000, 5, 100],
    [1000, 30, 300],
    [999, 33, 329],
    [200, 100, 200],
  ])('%d nodes at %d %%: %d', (nodes, percentage, expected) => {
    expect(nodesToFind(nodes, percentage)).toBe(expected);
  });
});

describe('sampling and rotation', () => {
  test.each([
    [250, 'percentageOfNodesToScore: 0', 0],
    [400, 'percentageOfNodesToScore: 40', 40],
    [150, 'percentageOfNodesToScore: 10', 10],
    [60, 'percentageOfNodesToScore: 10', 10],
  ])('%d nodes, %s: the same nodes as step by step', (count, text, percentage) => {
    const nodes = clusterOf(count);
    const columns = new Columns();
    for (const one of nodes) columns.setNode(one);
    const plain = new PlainScheduler(nodes, percentage);
    const profile = byCpu(text);
    const random = seededRandom(count);
    let full = 0;
    for (let i = 0; i < 3 * count; i++) {
      const cpu = 1 + Math.floor(random.next() * 60);
      const decision = schedule(columns.view(podOf(i, cpu)), columns, profile, firstOfTies);
      const { found, best } = plain.look(cpu);
      expect([i, decision.feasible]).toEqual([i, found]);
      if (found === 0) {
        full++;
        continue;
      }
      const { name } = decision.node!;
      expect(best).toContain(name);
      plain.take(name, cpu);
      columns.placeView(decision.pod, name);
    }
    // Some did not fit at all, and where sampling applies, most pods did not look at all nodes.
    expect(full).toBeGreaterThan(0);
    if (count >= 100) expect(plain.looked).toBeLessThan(3 * count * count);
    else expect(plain.looked).toBe(3 * count * count);
  });

  test('profiles of one cluster share the place to go on from', () => {
    const nodes = clusterOf(300);
    const columns = new Columns();
    for (const one of nodes) columns.setNode(one);
    const plain = new PlainScheduler(nodes, 40);
    const profiles = [byCpu('percentageOfNodesToScore: 40'), byCpu('percentageOfNodesToScore: 40')];
    for (let i = 0; i < 40; i++) {
      const decision = schedule(columns.view(podOf(i, 2)), columns, profiles[i % 2]!, firstOfTies);
      const { name } = decision.node!;
      expect(plain.look(2).best).toContain(name);
      plain.take(name, 2);
      columns.placeView(decision.pod, name);
    }
  });

  test('a pod that may run on named nodes only moves the place on by as many', () => {
    const nodes = clusterOf(120);
    const order = roundRobin(nodes);
    const columns = new Columns();
    for (const one of nodes) columns.setNode(one);
    const profile = byCpu('percentageOfNodesToScore: 1');
    const names = ['n5', 'n7', 'n9'];
    const affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: names.map(name => ({
            matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }],
          })),
        },
      },
    };
    const pinned = schedule(columns.view(podOf(0, 1, { affinity })), columns, profile);
    expect(names).toContain(pinned.node?.name);
    expect(schedule(columns.view(podOf(1, 1)), columns, profile).node?.name).toBe(order[3]);
  });

  test('without scores the first that fits is taken, going round', () => {
    const nodes = clusterOf(130);
    const order = roundRobin(nodes);
    const columns = new Columns();
    for (const one of nodes) columns.setNode(one);
    const text =
      "percentageOfNodesToScore: 50\nprofiles: [{plugins: {preScore: {disabled: [{name: '*'}]}, score: {disabled: [{name: '*'}]}}}]\n";
    const profile = profileOf(text);
    const taken = Array.from({ length: 140 }, (_, i) => {
      const { pod, node } = schedule(columns.view(podOf(i, 1)), columns, profile);
      columns.placeView(pod, node!.name);
      return node!.name;
    });
    expect(taken).toEqual([...order, ...order.slice(0, 10)]);
  });

  test('by default all nodes are looked at', () => {
    const nodes = clusterOf(300);
    const columns = new Columns();
    for (const one of nodes) columns.setNode(one);
    expect(schedule(columns.view(podOf(0, 1)), columns, byCpu('')).feasible).toBe(300);
  });
});
