/**
 * The openb trace (alibaba/clusterdata, cluster-trace-gpu-v2023, CC BY 4.0; Weng et al., "Beware of Fragmentation",
 * ATC'23): pods of whole GPUs packed in order of the file must go exactly where the independent reference put them.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import { Columns } from '#engine/columns/columns.ts';
import type { ScoringStrategy } from '#engine/plugins/allocation.ts';
import { resourcesFit } from '#engine/plugins/fit.ts';
import { fitScore } from '#engine/plugins/fit-score.ts';
import { createProfile, type Profile } from '#engine/profile.ts';
import { firstOfTies, schedule } from '#engine/schedule.ts';

const folder = join(import.meta.dirname, '../data/openb');
const rows = (file: string): Record<string, string>[] => {
  const [header = '', ...lines] = readFileSync(join(folder, file), 'utf8').trim().split('\n');
  const names = header.trim().split(',');
  return lines.map(line =>
    Object.fromEntries(
      line
        .trim()
        .split(',')
        .map((cell, i) => [names[i]!, cell]),
    ),
  );
};

const gpu = 'nvidia.com/gpu';
const weights = (...names: string[]) => names.map(name => ({ name, weight: 1 }));
const by = (type: 'LeastAllocated' | 'MostAllocated', ...names: string[]): ScoringStrategy => ({
  type,
  resources: weights(...names),
});
const strategies: Readonly<Record<string, ScoringStrategy | undefined>> = {
  'first-fit': undefined,
  'least(cpu,memory)': by('LeastAllocated', 'cpu', 'memory'),
  'most(cpu,memory)': by('MostAllocated', 'cpu', 'memory'),
  'most(cpu,memory)+gpu': by('MostAllocated', 'cpu', 'memory', gpu),
  'least(cpu,memory)+gpu': by('LeastAllocated', 'cpu', 'memory', gpu),
};

const profileOf = (strategy: ScoringStrategy | undefined): Profile =>
  createProfile({
    filters: [resourcesFit()],
    scores: strategy === undefined ? [] : [{ plugin: fitScore(strategy), weight: 1 }],
  });

interface Packing {
  readonly placed: number;
  readonly pending: number;
  readonly first_20: readonly number[];
  readonly placement_sha256: string;
}
const { results } = JSON.parse(readFileSync(join(folder, 'reference-packing.json'), 'utf8')) as {
  results: Record<string, Packing>;
};

const nodesOf = (file: string): Node[] =>
  rows(file).map(
    ({ sn, cpu_milli, memory_mib, gpu: count, model }) =>
      ({
        metadata: { name: sn, labels: { model } },
        status: {
          allocatable: { cpu: `${cpu_milli}m`, memory: `${memory_mib}Mi`, pods: '100000', [gpu]: count },
        },
      }) as unknown as Node,
  );

const podsOf = (file: string): Pod[] =>
  rows(file)
    .filter(({ num_gpu, gpu_milli }) => !(num_gpu === '1' && Number(gpu_milli) < 1000))
    .map(
      ({ name, cpu_milli, memory_mib, num_gpu }) =>
        ({
          metadata: { name, namespace: 'default' },
          spec: {
            containers: [
              {
                name: 'c',
                resources: {
                  requests: {
                    cpu: `${cpu_milli}m`,
                    memory: `${memory_mib}Mi`,
                    ...(num_gpu === '0' ? {} : { [gpu]: num_gpu }),
                  },
                },
              },
            ],
          },
        }) as unknown as Pod,
    );

describe('packing the openb trace', () => {
  test.each(Object.entries(results))('%s', (name, expected) => {
    const [nodeFile = '', podFile = '', policy = ''] = name.split(' | ');
    const columns = new Columns();
    for (const node of nodesOf(nodeFile)) columns.setNode(node);
    const profile = profileOf(strategies[policy]);
    const placements = podsOf(podFile).map(pod => {
      const view = columns.view(pod);
      const { node } = schedule(view, columns, profile, firstOfTies);
      if (node === undefined) return -1;
      columns.placeView(view, node.name);
      return node.slot;
    });
    expect(placements.slice(0, 20)).toEqual(expected.first_20);
    expect(placements.filter(slot => slot >= 0)).toHaveLength(expected.placed);
    expect(createHash('sha256').update(placements.join(',')).digest('hex')).toBe(expected.placement_sha256);
  });
});
