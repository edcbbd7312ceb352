/** A control plane in memory, with its scheduler and no agents, and a shell whose kubeconfig leads to it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Node, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import { silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import type { Client } from '#client/client.ts';
import { createHttpClient, type HttpClient } from '#client/http.ts';
import { type ControlPlaneOptions, startControlPlane } from '#scheduler/main.ts';
import { type Shell, shellFor } from '../run.ts';

export interface TestCluster {
  readonly client: Client;
  readonly shell: Shell;
  readonly adminToken: string;
  nodeToken(node: string): string;
  /** A client over HTTPS; the administrator's unless told otherwise. */
  http(token?: string): HttpClient;
  addNode(name: string, allocatable: Record<string, string>, more?: Partial<Node>): Promise<void>;
  addPod(name: string, requests: Record<string, string>, more?: PodParts): Promise<void>;
  /** Resolves with the pod once `is` holds of it. */
  until(name: string, is: (pod: Pod) => boolean): Promise<Pod>;
  stop(): Promise<void>;
}

export interface PodParts {
  readonly labels?: Record<string, string>;
  readonly spec?: Partial<Pod['spec']>;
}

const waitMs = 20;
const mostWaits = 500;

export const startCluster = async (options: Partial<ControlPlaneOptions> = {}): Promise<TestCluster> => {
  const plane = await startControlPlane({ clock: systemClock, random: systemRandom, log: silentLog, ...options });
  const client = plane.client();
  const folder = mkdtempSync(join(tmpdir(), 'berth-why-'));
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, plane.caPem);
  const until: TestCluster['until'] = async (name, is) => {
    for (let i = 0; i < mostWaits; i++) {
      const pod = await client.get(podKind, { namespace: 'default', name });
      if (is(pod)) return pod;
      await systemClock.sleep(waitMs);
    }
    throw new Error(`pod ${name} never got there`);
  };
  return {
    client,
    adminToken: plane.adminToken,
    nodeToken: plane.nodeToken,
    http: (token = plane.adminToken) => createHttpClient({ server: plane.url, token, caPem: plane.caPem }),
    shell: shellFor(plane.url, { token: plane.adminToken, caFile }),
    until,
    async addNode(name, allocatable, more = {}) {
      const node: Node = {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { 'kubernetes.io/hostname': name, ...more.metadata?.labels } },
        spec: more.spec ?? {},
      };
      await client.create(nodeKind, node);
      const conditions = [{ type: 'Ready', status: 'True' as const }];
      const status = {
        allocatable: { pods: '110', ...allocatable },
        capacity: { pods: '110', ...allocatable },
        conditions,
      };
      await client.patch(nodeKind, { name }, { type: 'merge', body: { status } }, { subresource: 'status' });
    },
    async addPod(name, requests, { labels = {}, spec = {} } = {}) {
      await client.create(podKind, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', labels },
        spec: { containers: [{ name: 'c', image: 'i', resources: { requests } }], ...spec },
      } as Pod);
    },
    async stop() {
      await plane.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
