/** Words that the scripts of cases share. */
import type { CaseContext } from './cases.ts';

export const pause = 'registry.k8s.io/pause:3.8';

export const pod = (name: string, spec: object, labels: object = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec });

export const apply = (input: string) => ({ do: 'kubectl apply -f -', input });

export const field = async (context: CaseContext, name: string, path: string): Promise<string> =>
  (await context.kubectl(['get', 'pod', name, '-o', `jsonpath=${path}`])).stdout;
