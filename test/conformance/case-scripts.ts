/**
 * The sentences of the documentation's cases as commands, by case and step. Manifests that a page gives only in its text
 * are written here; they keep the page's names.
 */

import { type CaseContext, manifest, type Script } from './cases.ts';
import { cgroupValue, containersOfPod } from './host.ts';
import { schedulingScripts } from './scheduling-scripts.ts';
import { apply, field, pause, pod } from './script-parts.ts';

/** The page's pod with the loops on DNS names replaced by loops on files, which the test makes with exec. */
const waitingInit = pod('myapp-pod', {
  terminationGracePeriodSeconds: 1,
  volumes: [{ name: 'gate', emptyDir: {} }],
  initContainers: ['myservice', 'mydb'].map(service => ({
    name: `init-${service}`,
    image: 'busybox:1.28',
    command: ['sh', '-c', `until [ -f /gate/${service} ]; do echo waiting for ${service}; sleep 1; done`],
    volumeMounts: [{ name: 'gate', mountPath: '/gate' }],
  })),
  containers: [
    { name: 'myapp-container', image: 'busybox:1.28', command: ['sh', '-c', 'echo The app is running! && sleep 3600'] },
  ],
});

const crashingInit = pod('init-crash', {
  terminationGracePeriodSeconds: 1,
  initContainers: [
    { name: 'good', image: 'busybox:1.28', command: ['true'] },
    { name: 'bad', image: 'busybox:1.28', command: ['sh', '-c', 'exit 1'] },
  ],
  containers: [{ name: 'app', image: pause }],
});

const frontend = pod('frontend', {
  terminationGracePeriodSeconds: 1,
  containers: ['app', 'log-aggregator'].map(name => ({
    name,
    image: pause,
    resources: { requests: { memory: '64Mi', cpu: '250m' }, limits: { memory: '128Mi', cpu: '500m' } },
  })),
});

const tolerating = (name: string, ...taints: readonly [string, string, string][]) =>
  pod(name, {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'nginx', image: 'nginx', imagePullPolicy: 'IfNotPresent' }],
    tolerations: taints.map(([key, value, effect]) => ({ key, operator: 'Equal', value, effect })),
  });
const firstTwoTaints: [string, string, string][] = [
  ['key1', 'value1', 'NoSchedule'],
  ['key1', 'value1', 'NoExecute'],
];

/** A node that is an object only, with five pods bound to it, as the page prints them. */
const bareNode = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'e2e-test-node-pool-4lw4' },
  spec: { unschedulable: true },
});
const bareNodeStatus = JSON.stringify({
  status: {
    capacity: { cpu: '2', memory: '7679792Ki', pods: '110' },
    allocatable: { cpu: '1800m', memory: '7474992Ki', pods: '110' },
  },
});
const allocatedPods = JSON.stringify({
  apiVersion: 'v1',
  kind: 'List',
  items: (
    [
      ['fluentd-gcp-v1.38-28bv1', { cpu: '100m', memory: '200Mi' }, { memory: '200Mi' }],
      ['kube-dns-3297075139-61lj3', { cpu: '260m', memory: '100Mi' }, { memory: '170Mi' }],
      ['kube-proxy-e2e-test', { cpu: '100m' }, {}],
      ['monitoring-influxdb-grafana-v4-z1m12', { cpu: '200m', memory: '600Mi' }, { cpu: '200m', memory: '600Mi' }],
      ['node-problem-detector-v0.1-fj7m3', { cpu: '20m', memory: '20Mi' }, { cpu: '200m', memory: '100Mi' }],
    ] as const
  ).map(([name, requests, limits]) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      nodeName: 'e2e-test-node-pool-4lw4',
      containers: [{ name: 'main', image: pause, resources: { requests, limits } }],
    },
  })),
});

/** Seconds until the fourth start is past: at once, after 10 s, after 20 s, and what a busy machine adds. */
const backoffSeconds = 75;

/** Gaps between the starts of a container that fails at once, by the engine's own events. */
const restartGaps = async (context: CaseContext): Promise<string | undefined> => {
  const label = ['io.kubernetes.pod.name=crash', `io.kubernetes.pod.namespace=${context.namespace}`];
  const filters = JSON.stringify({
    type: ['container'],
    event: ['start'],
    label: [...label, 'io.kubernetes.docker.type=container'],
  });
  const nowSeconds = Math.floor(Date.now() / 1000);
  const query = new URLSearchParams({
    since: String(nowSeconds - 30),
    until: String(nowSeconds + backoffSeconds),
    filters,
  });
  const reply = await context.engine.call('GET', `/events?${query}`);
  const lines = reply.text.split('\n').filter(line => line !== '');
  const starts = lines.map(line => Number(/"timeNano":(\d+)/.exec(line)?.[1]) / 1e9);
  const gaps = starts.slice(1, 4).map((time, i) => time - starts[i]!);
  const least = [0, 10, 20];
  const fits = gaps.length === 3 && gaps.every((gap, i) => gap >= least[i]! && gap < least[i]! + 12);
  return fits ? undefined : `gaps between starts: ${gaps.map(gap => gap.toFixed(2)).join(', ')} s`;
};

const defaultTolerations = async (context: CaseContext): Promise<string | undefined> => {
  const found = JSON.parse(await field(context, 't', '{.spec.tolerations}')) as Record<string, unknown>[];
  const wanted = ['not-ready', 'unreachable'].map(condition => ({
    effect: 'NoExecute',
    key: `node.kubernetes.io/${condition}`,
    operator: 'Exists',
    tolerationSeconds: 300,
  }));
  const text = (tolerations: object[]) => JSON.stringify(tolerations.map(one => Object.entries(one).sort()).sort());
  return text(found) === text(wanted) ? undefined : `tolerations ${JSON.stringify(found)}`;
};

export const caseScripts: Readonly<Record<string, Script>> = {
  'mem-within-limit': {
    instead: {
      6: [
        {
          probe: async context => {
            const [container] = await containersOfPod(context.engine, context.namespace, 'memory-demo');
            const limit =
              container && (await cgroupValue(container.pid, 'memory', ['memory.limit_in_bytes', 'memory.max']));
            return limit === '209715200' ? undefined : `the container's memory limit is ${limit}`;
          },
        },
      ],
    },
  },
  // What kubectl top shows must come near the limit, so nothing else may take the CPUs.
  'cpu-throttled': { alone: true },
  nodeselector: { severalNodes: true, alone: true, after: [{ do: 'kubectl label nodes NODE1 disktype-' }] },
  nodename: {
    severalNodes: true,
    instead: {
      0: [
        {
          do: 'kubectl apply -f -',
          input: async context => manifest('pods__pod-nginx-specific-node.yaml').replace('foo-node', context.nodes[1]!),
        },
      ],
    },
  },
  'node-affinity-required': { severalNodes: true, alone: true, after: [{ do: 'kubectl label nodes NODE1 disktype-' }] },
  'node-affinity-preferred': {
    severalNodes: true,
    alone: true,
    after: [{ do: 'kubectl label nodes NODE1 disktype-' }],
  },
  'affinity-required-and-preferred': {
    severalNodes: true,
    alone: true,
    before: [
      { do: 'kubectl label node NODE1 topology.kubernetes.io/zone=antarctica-east1' },
      {
        do: 'kubectl label node NODE2 topology.kubernetes.io/zone=antarctica-west1 another-node-label-key=another-node-label-value',
      },
      {
        do: 'kubectl label node NODE3 topology.kubernetes.io/zone=elsewhere another-node-label-key=another-node-label-value',
      },
    ],
    instead: {
      1: [
        {
          check: 'kubectl get pod with-node-affinity -o jsonpath={.spec.nodeName}',
          within: 30,
          equals: 'NODE2',
        },
      ],
    },
    after: [{ do: 'kubectl label node NODE1 NODE2 NODE3 topology.kubernetes.io/zone- another-node-label-key-' }],
  },
  'extended-resource-fits': {
    after: [
      {
        do: 'kubectl patch node NODE1 --subresource=status --type=json -p [{"op":"remove","path":"/status/capacity/example.com~1dongle"}]',
      },
    ],
  },
  'init-then-app': {
    before: [
      { do: 'kubectl run server --image=nginx --image-pull-policy=IfNotPresent' },
      { do: 'kubectl wait --for=condition=Ready pod/server --timeout=60s' },
    ],
    instead: {
      // The page downloads from the internet.
      0: [
        {
          do: 'kubectl apply -f -',
          input: async context =>
            manifest('pods__init-containers.yaml').replace(
              /http:\/\/[\w.]+/,
              `http://${await field(context, 'server', '{.status.podIP}')}`,
            ),
        },
      ],
    },
  },
  'init-waits': {
    instead: { 0: [apply(waitingInit)] },
    after: [
      { check: 'kubectl exec myapp-pod -c init-myservice -- touch /gate/myservice', within: 30 },
      { check: 'kubectl exec myapp-pod -c init-mydb -- touch /gate/mydb', within: 30 },
      { check: 'kubectl get pod myapp-pod -o jsonpath={.status.phase}', equals: 'Running', within: 30 },
    ],
  },
  'init-crash': {
    instead: {
      0: [apply(crashingInit)],
      1: [
        {
          check: 'kubectl get pod init-crash --no-headers',
          containsOneOf: ['Init:CrashLoopBackOff', 'Init:Error'],
          within: 60,
        },
      ],
      2: [
        {
          check:
            'kubectl get pod init-crash -o jsonpath={.status.initContainerStatuses[0].state.terminated.reason}:{.status.initContainerStatuses[1].lastState.terminated.exitCode}',
          equals: 'Completed:1',
          within: 60,
        },
      ],
      3: [{ check: 'kubectl get pod init-crash -o jsonpath={.status.phase}', equals: 'Pending' }],
    },
  },
  'taint-noschedule': {
    alone: true,
    instead: {
      0: [{ do: 'kubectl taint nodes NODE1 key1=value1:NoSchedule' }],
      4: [apply(tolerating('tolerating', ['key1', 'value1', 'NoSchedule']))],
      5: [{ check: 'kubectl get pod tolerating -o jsonpath={.status.phase}', equals: 'Running', within: 60 }],
    },
    after: [{ do: 'kubectl taint nodes NODE1 key1- --overwrite', expectExit: 'nonzero' }],
  },
  'taint-three': {
    alone: true,
    instead: {
      0: [
        { do: 'kubectl taint nodes NODE1 key1=value1:NoSchedule key1=value1:NoExecute' },
        apply(tolerating('already-there', ...firstTwoTaints)),
        { check: 'kubectl get pod already-there -o jsonpath={.status.phase}', equals: 'Running', within: 60 },
        { do: 'kubectl taint nodes NODE1 key2=value2:NoSchedule' },
        apply(tolerating('newcomer', ...firstTwoTaints)),
      ],
      1: [
        { check: 'kubectl get pod newcomer -o jsonpath={.status.phase}', equals: 'Pending', within: 10, stableFor: 5 },
      ],
      2: [{ check: 'kubectl get pod already-there -o jsonpath={.status.phase}', equals: 'Running', stableFor: 5 }],
    },
    after: [{ do: 'kubectl taint nodes NODE1 key1- key2-' }],
  },
  'downward-fields': {
    inDefault: true,
    instead: {
      1: [
        {
          check: 'kubectl logs dapi-envars-fieldref',
          within: 60,
          probe: async context => {
            const ip = await field(context, 'dapi-envars-fieldref', '{.status.podIP}');
            const logged = (await context.kubectl(['logs', 'dapi-envars-fieldref'])).stdout
              .trim()
              .split('\n')
              .slice(-5);
            const wanted = [context.nodes[0], 'dapi-envars-fieldref', 'default', ip, 'default'];
            return ip !== '' && logged.join() === wanted.join()
              ? undefined
              : `logged ${logged.join()} instead of ${wanted.join()}`;
          },
        },
      ],
    },
  },
  'shell-exec': {
    // The page's pod uses the host's network, which is refused unless the namespace allows it.
    before: [{ do: 'kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=privileged' }],
  },
  'pod-sum-two-containers': {
    instead: {
      0: [apply(frontend)],
      1: [
        {
          check: 'kubectl describe node NODE1',
          within: 30,
          probe: async context => {
            const described = (await context.kubectl(['describe', 'node', context.nodes[0]!])).stdout;
            const row = described.split('\n').find(line => line.includes(' frontend ')) ?? '';
            return /\s500m \(\d+%\)\s+1 \(\d+%\)\s+128Mi \(\d+%\)\s+256Mi \(\d+%\)/.test(row)
              ? undefined
              : `row of the pod: ${row}`;
          },
        },
      ],
    },
  },
  'describe-node-allocated': {
    instead: {
      0: [
        { do: 'kubectl create -f -', input: bareNode },
        { do: `kubectl patch node e2e-test-node-pool-4lw4 --subresource=status --type=merge -p ${bareNodeStatus}` },
        { do: 'kubectl create -f -', input: allocatedPods },
      ],
      1: [
        {
          check: 'kubectl describe node e2e-test-node-pool-4lw4',
          contains: ['680m (37%)', '400m (22%)', '920Mi (12%)', '1070Mi (14%)'],
          within: 10,
        },
      ],
    },
    after: [
      { do: 'kubectl delete pods --all --grace-period=0 --force' },
      { do: 'kubectl delete node e2e-test-node-pool-4lw4' },
    ],
  },
  'restart-backoff': { instead: { 1: [{ probe: restartGaps, within: 0 }] } },
  'readiness-gate': {
    instead: {
      0: [
        apply(
          pod('gated', {
            readinessGates: [{ conditionType: 'www.example.com/feature-1' }],
            containers: [{ name: 'pause', image: pause }],
          }),
        ),
      ],
      1: [
        {
          check:
            'kubectl get pod gated -o jsonpath={.status.conditions[?(@.type=="ContainersReady")].status}:{.status.conditions[?(@.type=="Ready")].status}',
          equals: 'True:False',
          within: 30,
          stableFor: 5,
        },
      ],
      2: [
        {
          do: `kubectl patch pod gated --subresource=status -p '{"status":{"conditions":[{"type":"www.example.com/feature-1","status":"True"}]}}'`,
        },
      ],
      3: [
        {
          check: 'kubectl get pod gated -o jsonpath={.status.conditions[?(@.type=="Ready")].status}',
          equals: 'True',
          within: 20,
        },
      ],
    },
  },
  'default-tolerations': { instead: { 1: [{ probe: defaultTolerations }] } },
  ...schedulingScripts,
};
