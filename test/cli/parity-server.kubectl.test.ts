/**
 * `berth` and kubectl 1.32 side by side on a real control plane: each line of test/data/cli/commands.txt gives the same
 * output, errors and exit code. What stands before `;;` is done before each of the two.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import { type ControlPlane, startControlPlane } from '#scheduler/main.ts';
import { kubectlIn, wordsOf } from './kubectl.ts';
import { type Ran, type Shell, shellOf } from './run.ts';

const lines = readFileSync(join(import.meta.dirname, '..', 'data', 'cli', 'commands.txt'), 'utf8')
  .split('\n')
  .filter(line => line !== '' && !line.startsWith('#'));

let plane: ControlPlane;
let shell: Shell;

const configMap = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {a: b}\n`;
const pod = (name: string, container: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, labels: {app: ${name}}}\nspec:\n  containers: [{name: ${container}, image: i}, {name: side, image: j}]\n`;
const node = (name: string) => `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}, labels: {disk: ssd}}\n`;

beforeAll(async () => {
  // Without a scheduler: nothing but the commands changes anything.
  plane = await startControlPlane({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    port: 0,
    scheduler: false,
  });
  shell = shellOf(plane);
  for (const name of ['one', 'two']) shell.file(`${name}.yaml`, configMap(name));
  shell.file('pod.yaml', pod('p', 'c'));
  shell.file('other-name.yaml', pod('p', 'd'));
  shell.file('other-namespace.yaml', configMap('x').replace('{name: x}', '{name: x, namespace: other}'));
  shell.file('broken.yaml', 'x: [\n');
  shell.file('empty.yaml', '');
  shell.file('columns', 'NAME          PHASE\nmetadata.name status.phase\n');
  shell.file('template', '{.items[*].metadata.name}\n');
  shell.file(
    'world.yaml',
    [
      pod('web', 'app'),
      pod('big', 'c'),
      configMap('keep'),
      node('node-a'),
      node('node-b'),
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: empty}\n',
      workloads,
    ].join('---\n'),
  );
  expect((await shell.run(['apply', '-f', 'world.yaml', '--validate=false'])).code).toBe(0);
});
afterAll(() => plane.stop());

const workloads = `apiVersion: v1
kind: Service
metadata: {name: svc, labels: {a: b}}
spec:
  type: NodePort
  selector: {app: web}
  externalIPs: [1.2.3.4]
  ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080}, {name: x, port: 81, protocol: UDP, targetPort: foo}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: pdb}
spec: {maxUnavailable: 30%, selector: {matchLabels: {app: web}}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: rs, labels: {app: web}}
spec: {replicas: 2, selector: {matchLabels: {app: rs}}, template: {metadata: {labels: {app: rs}}, spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: sts, annotations: {a: b}}
spec:
  serviceName: svc
  selector: {matchLabels: {app: sts}, matchExpressions: [{key: tier, operator: In, values: [front, back]}]}
  template:
    metadata: {labels: {app: sts, tier: front}, annotations: {x: y1}}
    spec:
      nodeSelector: {a: b}
      tolerations: [{key: k, operator: Exists, effect: NoSchedule}]
      serviceAccountName: default
      initContainers: [{name: i, image: i}]
      containers:
      - {name: c, image: i, ports: [{containerPort: 80}], env: [{name: A, value: b}], resources: {limits: {cpu: 1}}, volumeMounts: [{name: v, mountPath: /v}]}
      volumes: [{name: v, emptyDir: {}}]
      topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: sts}}}]
`;

/** Ages pass between the two runs, with them the widths of columns; the program's own name is the only word that may differ. */
const comparable = ({ code, out, err }: Ran): Ran => {
  const plain = (text: string) =>
    text
      .replace(/\b\d+[smhd](\d+[smhd])?\b/g, 'AGE')
      .replace(/resourceVersion: "\d+"/g, 'resourceVersion')
      .replace(/ +/g, ' ')
      .replaceAll('kubectl', 'berth');
  return { code, out: plain(out), err: plain(err) };
};

describe('berth does what kubectl does', () => {
  test.each(lines)('%s', async line => {
    const [command = '', before] = line.split(' ;; ').reverse();
    const run = async (program: (args: readonly string[], stdin: string) => Promise<Ran>): Promise<Ran> => {
      for (const one of before?.split('; ') ?? []) await shell.run([...wordsOf(one), ...unwatched(one)]);
      const [, file, args = command] = /^<(\S+) (.*)$/.exec(command) ?? [];
      return comparable(await program(wordsOf(args), file ? readFileSync(join(shell.folder, file), 'utf8') : ''));
    };
    const theirs = await run((args, stdin) => kubectlIn(shell, args, stdin));
    expect(await run((args, stdin) => shell.run(args, { stdin }))).toEqual(theirs);
  });
});

/** What is deleted beforehand may be gone already. */
const unwatched = (line: string): readonly string[] => (line.startsWith('delete') ? ['--ignore-not-found'] : []);
