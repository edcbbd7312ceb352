/** Random clusters with placed pods, and pods that often do not fit: for the tests of explanations and suggestions. */
import fc from 'fast-check';
import type { Pod } from '#api/kinds/core.ts';
import { type ClusterState, emptyState } from '#engine/world.ts';
import { nodeArbitrary, podArbitrary } from '../clusters.ts';
import type { PlainCluster } from '../reference/reference.ts';

const nodeNames = Array.from({ length: 6 }, (_, i) => `n${i}`);
const uniqueNodes = fc.uniqueArray(nodeArbitrary(fc.constantFrom(...nodeNames)), {
  minLength: 1,
  maxLength: 6,
  selector: node => node.metadata.name,
});

export const stateArbitrary: fc.Arbitrary<ClusterState> = fc
  .record({
    nodes: uniqueNodes,
    pods: fc.array(fc.tuple(podArbitrary, fc.constantFrom(...nodeNames), fc.constantFrom(0, 0, 5)), { maxLength: 14 }),
  })
  .map(({ nodes, pods }) => ({
    ...emptyState,
    nodes,
    pods: pods.map(([pod, nodeName, priority], i) => ({
      ...pod,
      metadata: { ...pod.metadata, name: `p${i}` },
      spec: {
        ...pod.spec,
        nodeName: nodes.some(node => node.metadata.name === nodeName) ? nodeName : nodes[0]!.metadata.name,
        priority,
      },
    })),
    namespaces: [
      { metadata: { name: 'default', labels: { team: 'blue' } } },
      { metadata: { name: 'team', labels: { team: 'red' } } },
    ] as unknown as ClusterState['namespaces'],
  }));

/** A pod that must be spread over zones among its like, and a cluster in which they are anywhere. */
export const crowdedArbitrary: fc.Arbitrary<readonly [state: ClusterState, pod: Pod]> = fc
  .record({
    zones: fc.array(fc.constantFrom('a', 'b', 'c', undefined), { minLength: 2, maxLength: 7 }),
    placed: fc.array(fc.nat(6), { maxLength: 14 }),
    cordoned: fc.nat(12),
    maxSkew: fc.integer({ min: 1, max: 2 }),
    topologyKeys: fc.subarray(['zone', 'host'], { minLength: 1 }),
  })
  .map(({ zones, placed, cordoned, maxSkew, topologyKeys }) => {
    const pod = (name: string, spec: object): Pod =>
      ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', labels: { app: 'a' } },
        spec: { containers: [{ name: 'c', image: 'web' }], ...spec },
      }) as Pod;
    const nodes = zones.map((zone, i) => ({
      metadata: { name: `n${i}`, labels: { host: `n${i}`, ...(zone === undefined ? {} : { zone }) } },
      spec: i === cordoned ? { unschedulable: true } : {},
      status: { allocatable: { cpu: '8', memory: '8Gi', pods: '20' } },
    }));
    const pods = placed.map((at, i) => pod(`p${i}`, { nodeName: `n${at % nodes.length}` }));
    const topologySpreadConstraints = topologyKeys.map(topologyKey => ({
      maxSkew,
      topologyKey,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'a' } },
    }));
    const state = { ...emptyState, nodes: nodes as unknown as ClusterState['nodes'], pods };
    return [state, pod('new', { topologySpreadConstraints })] as const;
  });

export const plainOf = (state: ClusterState): PlainCluster => ({
  nodes: state.nodes,
  pods: state.pods,
  namespaces: new Map(state.namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}])),
  services: [],
});

export const named = (pod: Pod): Pod => ({ ...pod, metadata: { ...pod.metadata, name: 'new' } });
export const bigPod = fc
  .tuple(podArbitrary, fc.constantFrom(undefined, '1700m', '3', '9'), fc.constantFrom(undefined, '2500Mi', '9Gi'))
  .map(([pod, cpu, memory]): Pod => {
    const [first, ...others] = pod.spec.containers;
    const requests = { ...first!.resources?.requests, ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) };
    return { ...pod, spec: { ...pod.spec, containers: [{ ...first!, resources: { requests } }, ...others] } };
  });
