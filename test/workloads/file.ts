/** scheduler_perf's workloads as test/data/scheduler-perf/workloads.json states them: names, sizes, and what must hold. */
import { readFileSync } from 'node:fs';

/** Counts by the file's own words (`nodes`, `init`, `measure`, `gated` …). */
export type FileSize = Readonly<Record<string, number>>;

export interface FileWorkload {
  readonly name: string;
  readonly sizes: readonly FileSize[];
  readonly invariants: readonly string[];
}

interface WorkloadsFile {
  readonly workloads: readonly FileWorkload[];
  readonly notTranscribed: readonly string[];
}

const path = new URL('../data/scheduler-perf/workloads.json', import.meta.url);

/** The workloads of the file, and the names of upstream's others, which the file leaves out. */
export const { workloads: fileWorkloads, notTranscribed } = JSON.parse(readFileSync(path, 'utf8')) as WorkloadsFile;

/** Up to so many nodes and pods a test runs a size; `npm run bench -- scheduler` runs the greater ones. */
const most = { nodes: 1000, pods: 5000 };

const nodeCounts = ['nodes', 'tainted', 'normal'];

export const isSmall = (size: FileSize): boolean => {
  const { upstreamThresholdPodsPerSecond: _, initNamespaces = 0, initPodsPerNamespace = 0, ...counts } = size;
  let nodes = 0;
  let pods = initNamespaces * initPodsPerNamespace;
  for (const [name, count] of Object.entries(counts))
    if (nodeCounts.includes(name)) nodes += count;
    else pods += count;
  return nodes <= most.nodes && pods <= most.pods;
};

/** `5/5/10` */
export const textOf = ({ upstreamThresholdPodsPerSecond: _, ...counts }: FileSize): string =>
  Object.values(counts).join('/');
