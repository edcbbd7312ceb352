/** A workload in which things happen, so that it needs the real scheduling loop: queue, events, preemption. */
import type { Node } from '#api/kinds/core.ts';
import type { Client } from '#client/client.ts';
import type { PerfCluster } from './cluster.ts';
import type { FileSize } from './file.ts';
import { nodeFrom } from './templates.ts';

/** Makes the cluster it runs in; `wrap`: what else lies between the scheduler and the API. */
export type Start = (wrap?: (client: Client) => Client) => Promise<PerfCluster>;

/** Runs the workload; what it gives checks the file's invariants, by the file's own sentences. */
export type Happening = (size: FileSize, start: Start) => Promise<Readonly<Record<string, () => void>>>;

export const defaultNodes = (count: number, prefix = 'node', labels: Record<string, string> = {}): Node[] =>
  Array.from({ length: count }, (_, i) => nodeFrom('node-default', `${prefix}-${i}`, labels));

/** `items` dealt out over so many rounds. */
export const dealt = <T>(items: readonly T[], rounds: number): readonly (readonly T[])[] =>
  Array.from({ length: rounds }, (_, round) => items.filter((_item, i) => i % rounds === round));
