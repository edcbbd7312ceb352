/** The documentation's cases of spreading, preemption and eviction as commands (case-scripts.ts has the others). */
import { manifest, type Script, type Step } from './cases.ts';
import { apply, field, pause, pod } from './script-parts.ts';

const zones = ['zoneA', 'zoneA', 'zoneB', 'zoneB'];

/** The page's example: labels on the nodes, one pod with foo=bar on each node named, then what is asked of mypod. */
const spreading = (
  occupied: readonly number[],
  constraint: { readonly from: string; readonly to: string } | undefined,
  expected: readonly Step[],
  labelled = 4,
): Script => ({
  severalNodes: true,
  alone: true,
  instead: {
    0: zones
      .slice(0, labelled)
      .map((zone, i) => ({ do: `kubectl label node NODE${i + 1} zone=${zone} node=node${i + 1}` })),
    1: [
      {
        do: 'kubectl apply -f -',
        input: async context =>
          JSON.stringify({
            apiVersion: 'v1',
            kind: 'List',
            items: occupied.map((node, i) =>
              JSON.parse(
                pod(
                  `guest-${i}`,
                  { nodeName: context.nodes[node - 1], containers: [{ name: 'pause', image: pause }] },
                  { foo: 'bar' },
                ),
              ),
            ),
          }),
      },
      { do: 'kubectl wait --for=condition=Ready pod --all --timeout=60s' },
    ],
    ...(constraint === undefined
      ? {}
      : {
          2: [
            apply(
              manifest('pods__topology-spread-constraints__one-constraint.yaml').replace(
                constraint.from,
                constraint.to,
              ),
            ),
          ],
        }),
    3: expected,
  },
  after: [{ do: 'kubectl label node NODE1 NODE2 NODE3 NODE4 zone- node-' }],
});

const placedOn = (...nodes: readonly number[]): Step => ({
  within: 30,
  probe: async context => {
    const found = await field(context, 'mypod', '{.spec.nodeName}');
    return nodes.some(node => context.nodes[node - 1] === found) ? undefined : `mypod is on ${found || 'no node'}`;
  },
});

/** Asks for the node's only slot. */
const slotPod = (name: string, priorityClassName?: string): string => {
  const slots = { 'example.com/slot': '1' };
  return pod(name, {
    terminationGracePeriodSeconds: 1,
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
    containers: [{ name: 'pause', image: pause, resources: { requests: slots, limits: slots } }],
  });
};

const priorityClass = (name: string, more: object = {}): string =>
  JSON.stringify({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value: 1000,
    ...more,
  });

const slotPath = '/status/capacity/example.com~1slot';
const phaseOf = (name: string) => `kubectl get pod ${name} -o jsonpath={.status.phase}`;

const budget = (name: string): string =>
  JSON.stringify({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } },
  });

const readyPods = (app: string, ...names: readonly string[]): readonly Step[] => [
  ...names.map(name =>
    apply(pod(name, { terminationGracePeriodSeconds: 1, containers: [{ name: 'pause', image: pause }] }, { app })),
  ),
  { do: `kubectl wait --for=condition=Ready --timeout=60s ${names.map(name => `pod/${name}`).join(' ')}` },
];

const evict = (expected: Omit<Step, 'do'>): Step => ({
  do: 'kubectl create --raw /api/v1/namespaces/NAMESPACE/pods/guarded/eviction -f -',
  input: async ({ namespace }) =>
    JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'guarded', namespace } }),
  ...expected,
});

export const schedulingScripts: Readonly<Record<string, Script>> = {
  'spread-one': spreading([1, 2, 3], undefined, [placedOn(3, 4)]),
  'spread-one-skew2': spreading([1, 2, 3], { from: 'maxSkew: 1', to: 'maxSkew: 2' }, [placedOn(1, 2, 3, 4)]),
  'spread-one-node': spreading([1, 2, 3], { from: 'topologyKey: zone', to: 'topologyKey: node' }, [placedOn(4)]),
  'spread-two': spreading([1, 2, 3], undefined, [placedOn(4)]),
  'spread-conflict': spreading(
    [1, 1, 2, 3, 3],
    undefined,
    [
      {
        checkEvents: {
          kind: 'Pod',
          name: 'mypod',
          namespace: 'default',
          reason: 'FailedScheduling',
          messageContains: ["node(s) didn't match pod topology spread constraints"],
        },
        within: 30,
      },
      { check: phaseOf('mypod'), equals: 'Pending', stableFor: 5 },
    ],
    3,
  ),
  'preempt-never': {
    alone: true,
    before: [
      {
        do: `kubectl patch node NODE1 --subresource=status --type=json -p ${JSON.stringify([{ op: 'add', path: slotPath, value: '1' }])}`,
      },
      apply(priorityClass('never-preempts', { preemptionPolicy: 'Never' })),
      apply(slotPod('low')),
      { do: 'kubectl wait --for=condition=Ready pod/low --timeout=60s' },
    ],
    instead: {
      0: [apply(slotPod('lower-and-waiting')), apply(slotPod('high', 'never-preempts'))],
      1: [
        {
          check:
            'kubectl get events --field-selector involvedObject.name=high,reason=FailedScheduling -o jsonpath={.items[*].message}',
          contains: ['Insufficient example.com/slot', 'not eligible due to preemptionPolicy=Never'],
          within: 30,
        },
        { check: phaseOf('high'), equals: 'Pending', stableFor: 5 },
        { check: phaseOf('low'), equals: 'Running' },
        { do: 'kubectl delete pod low' },
        { check: phaseOf('high'), equals: 'Running', within: 60 },
        { check: phaseOf('lower-and-waiting'), equals: 'Pending' },
      ],
    },
    after: [
      { do: 'kubectl delete priorityclass never-preempts' },
      {
        do: `kubectl patch node NODE1 --subresource=status --type=json -p ${JSON.stringify([{ op: 'remove', path: slotPath }])}`,
      },
    ],
  },
  'preempt-no-cross-node': {
    severalNodes: true,
    alone: true,
    before: [
      { do: 'kubectl label node NODE1 NODE2 zone=z' },
      apply(priorityClass('high')),
      {
        do: 'kubectl apply -f -',
        input: async context =>
          pod('q', { nodeName: context.nodes[1], containers: [{ name: 'pause', image: pause }] }, { app: 'q' }),
      },
      { do: 'kubectl wait --for=condition=Ready pod/q --timeout=60s' },
    ],
    instead: {
      0: [
        {
          do: 'kubectl apply -f -',
          input: async context =>
            pod('p', {
              priorityClassName: 'high',
              nodeSelector: { 'kubernetes.io/hostname': context.nodes[0] },
              affinity: {
                podAntiAffinity: {
                  requiredDuringSchedulingIgnoredDuringExecution: [
                    { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'q' } } },
                  ],
                },
              },
              containers: [{ name: 'pause', image: pause }],
            }),
        },
      ],
      1: [
        {
          check:
            'kubectl get events --field-selector involvedObject.name=p,reason=FailedScheduling -o jsonpath={.items[*].message}',
          contains: ["1 node(s) didn't match pod anti-affinity rules"],
          within: 30,
        },
        { check: phaseOf('p'), equals: 'Pending', stableFor: 5 },
        { check: phaseOf('q'), equals: 'Running' },
      ],
    },
    after: [{ do: 'kubectl delete priorityclass high' }, { do: 'kubectl label node NODE1 NODE2 zone-' }],
  },
  'eviction-api': {
    before: [
      ...readyPods('guarded', 'guarded'),
      apply(budget('first')),
      { check: 'kubectl get pdb first -o jsonpath={.status.currentHealthy}', equals: '1', within: 15 },
    ],
    instead: {
      0: [
        evict({
          expectExit: 'nonzero',
          stderrContains: ['TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget."],
        }),
      ],
      1: [
        apply(budget('second')),
        evict({
          expectExit: 'nonzero',
          stderrContains: ['InternalError', 'This pod has more than one PodDisruptionBudget'],
        }),
        { do: 'kubectl delete pdb second' },
        { check: 'kubectl get pod guarded -o jsonpath={.metadata.deletionTimestamp}', equals: '' },
        ...readyPods('guarded', 'another'),
        { check: 'kubectl get pdb first -o jsonpath={.status.disruptionsAllowed}', equals: '1', within: 15 },
        evict({}),
        { check: 'kubectl get pod guarded', expectExit: 'nonzero', stderrContains: ['NotFound'], within: 30 },
      ],
    },
  },
  // Pods of nobody count as they are while the budget names a number (the page's StatefulSet is later work).
  'pdb-status': { instead: { 2: readyPods('zookeeper', 'zk-0', 'zk-1', 'zk-2') } },
};
