/**
 * Every kubectl command that people type first (KUBECTL-WIRE §3.1), with the stock kubectl that set-up found, against a
 * cluster with real containers: what it prints, its exit code, and what the cluster then holds.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type KubectlOptions, startTestCluster, type TestCluster, waitFor } from './cluster.ts';
import type { Output } from './expectation.ts';

let cluster: TestCluster;
let count = 0;
let namespace = '';
let kubeconfig = '';
let node = '';

const image = 'busybox:1.28';
const sleeper = (name: string, more: object = {}, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image, command: ['sleep', '3600'], ...more }],
  },
});
const configMap = (name: string, data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

/** kubectl in the test's namespace. */
const kubectl = (line: string | readonly string[], options: KubectlOptions = {}): Promise<Output> =>
  cluster.kubectl(typeof line === 'string' ? line.split(' ') : line, { kubeconfig, ...options });

/** Its stdout; fails the test when the exit code is not 0. */
const ok = async (line: string | readonly string[], input?: object): Promise<string> => {
  const result = await kubectl(line, input === undefined ? {} : { input: JSON.stringify(input) });
  expect(result, String(line)).toMatchObject({ code: 0 });
  return result.stdout;
};

/** Its stderr; fails the test when the exit code is not that one. */
const fails = async (line: string | readonly string[], code = 1, input?: string): Promise<string> => {
  const result = await kubectl(line, input === undefined ? {} : { input });
  expect(result, String(line)).toMatchObject({ code });
  return result.stderr;
};

const running = async (...names: string[]): Promise<void> => {
  await ok(['wait', '--for=condition=Ready', '--timeout=90s', ...names.map(name => `pod/${name}`)]);
};

const lines = (text: string): string[] => text.trimEnd().split('\n');
const header = (text: string): string => lines(text)[0]!.trim().split(/ {2,}/).join(' ');

beforeAll(async () => {
  cluster = await startTestCluster([]);
  node = (await cluster.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}'])).stdout;
});

afterAll(async () => {
  await cluster?.stop();
});

beforeEach(async () => {
  namespace = `wire-${++count}`;
  kubeconfig = cluster.kubeconfigFor(namespace);
  await ok(`create namespace ${namespace}`);
  return async () => {
    await ok('delete pods --all --grace-period=1 --timeout=60s');
    await ok(`delete namespace ${namespace} --timeout=60s`);
  };
});

describe('get', () => {
  test('prints tables with upstream columns, wide, of all namespaces, and of one pod', async () => {
    await ok('apply -f -', sleeper('p', {}, { app: 'x' }));
    await running('p');
    const table = await ok('get pods');
    expect(header(table)).toBe('NAME READY STATUS RESTARTS AGE');
    expect(lines(table)[1]).toMatch(/^p +1\/1 +Running +0 +\d+s$/);
    expect(header(await ok('get pods -o wide'))).toBe(
      'NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES',
    );
    expect(header(await ok('get pods -A'))).toBe('NAMESPACE NAME READY STATUS RESTARTS AGE');
    expect(lines(await ok('get pod p --no-headers'))).toHaveLength(1);
    expect(await ok('get pods -l app=x --show-labels')).toContain('app=x');
    expect((await kubectl('get pods -l app=y')).stderr).toBe(`No resources found in ${namespace} namespace.\n`);
    expect(await ok('get pods --field-selector=status.phase=Running -o name')).toBe('pod/p\n');
    expect(await ok('get pods --field-selector=status.phase=Pending -o name')).toBe('');
    expect(await fails('get pod nobody')).toBe('Error from server (NotFound): pods "nobody" not found\n');
    expect(await fails('get nonsense')).toBe('error: the server doesn\'t have a resource type "nonsense"\n');
  });

  test('prints YAML, JSON, names, JSONPath and custom columns', async () => {
    await ok('create -f -', configMap('c', { b: '2', a: '1' }));
    expect(await ok('get cm c -o yaml')).toContain('kind: ConfigMap');
    expect(JSON.parse(await ok('get cm c -o json'))).toMatchObject({ kind: 'ConfigMap', data: { a: '1', b: '2' } });
    expect(JSON.parse(await ok('get cm -o json'))).toMatchObject({ kind: 'List', apiVersion: 'v1' });
    expect(lines(await ok('get cm -o name'))).toContain('configmap/c');
    expect(await ok(['get', 'cm', 'c', '-o', 'jsonpath={.data.a}'])).toBe('1');
    const columns = await ok(['get', 'cm', 'c', '-o', 'custom-columns=N:.metadata.name,B:.data.b']);
    expect(lines(columns).map(line => line.split(/ +/))).toEqual([
      ['N', 'B'],
      ['c', '2'],
    ]);
  });

  test('sorts by a field and shows several kinds', async () => {
    for (const [name, order] of [
      ['first', '2'],
      ['second', '1'],
    ] as const)
      await ok('create -f -', configMap(name, { order }));
    const sorted = await ok(['get', 'cm', '--sort-by=.data.order', '--no-headers']);
    expect(
      lines(sorted)
        .map(line => line.split(' ')[0])
        .filter(name => name !== 'kube-root-ca.crt'),
    ).toEqual(['second', 'first']);
    const several = await ok('get configmaps,serviceaccounts');
    expect(several).toContain('configmap/first');
    expect(several).toContain('serviceaccount/default');
    await ok('apply -f -', sleeper('p'));
    expect(await ok('get all')).toContain('pod/p');
  });

  test('watches a list and one object', async () => {
    await ok('create -f -', configMap('seen', {}));
    const watch = (args: string[]) => {
      const child = spawn('kubectl', args, {
        env: { ...process.env, KUBECONFIG: kubeconfig },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      return { text: () => text, stop: () => child.kill() };
    };
    const all = watch(['get', 'cm', '-w']);
    const one = watch(['get', 'cm', 'seen', '-w', '-o', 'jsonpath={.data.a};']);
    try {
      expect(
        await waitFor(15, async () =>
          all.text().includes('seen') && one.text() === ';' ? undefined : all.text() + one.text(),
        ),
      ).toBeUndefined();
      await ok('create -f -', configMap('later', {}));
      await ok(['patch', 'cm', 'seen', '--type=merge', '-p', '{"data":{"a":"new"}}']);
      expect(await waitFor(15, async () => (all.text().includes('later') ? undefined : all.text()))).toBeUndefined();
      expect(await waitFor(15, async () => (one.text() === ';new;' ? undefined : one.text()))).toBeUndefined();
    } finally {
      all.stop();
      one.stop();
    }
  });

  test('reads subresources and raw paths', async () => {
    await ok('apply -f -', sleeper('p'));
    expect(JSON.parse(await ok('get pod p --subresource=status -o json'))).toMatchObject({
      kind: 'Pod',
      metadata: { name: 'p' },
    });
    expect(JSON.parse(await ok(`get --raw /api/v1/namespaces/${namespace}/pods/p`))).toMatchObject({ kind: 'Pod' });
    expect(await ok('get --raw /readyz')).toBe('ok');
  });
});

describe('apply, create, replace, delete', () => {
  test('apply creates, changes, and leaves what is the same', async () => {
    const made = configMap('c', { a: '1' });
    expect(await ok('apply -f -', made)).toBe('configmap/c created\n');
    expect(await ok('apply -f -', made)).toBe('configmap/c unchanged\n');
    expect(await ok('apply -f -', configMap('c', { b: '2' }))).toBe('configmap/c configured\n');
    expect(await ok(['get', 'cm', 'c', '-o', 'jsonpath={.data}'])).toBe('{"b":"2"}');
  });

  test('apply into a namespace that is not there names it', async () => {
    const text = await fails('apply -n nowhere -f -', 1, JSON.stringify(configMap('c', {})));
    expect(text).toContain('namespaces "nowhere" not found');
  });

  test('apply shows without doing with --dry-run', async () => {
    expect(await ok('apply --dry-run=server -f -', configMap('c', {}))).toBe('configmap/c created (server dry run)\n');
    expect(await ok('apply --dry-run=client -f -', configMap('c', {}))).toBe('configmap/c created (dry run)\n');
    expect(await fails('get cm c')).toContain('not found');
  });

  test('server-side apply owns fields, and a second manager gets a conflict', async () => {
    expect(await ok('apply --server-side -f -', configMap('c', { a: '1' }))).toBe('configmap/c serverside-applied\n');
    const text = await fails(
      'apply --server-side --field-manager=other -f -',
      1,
      JSON.stringify(configMap('c', { a: '2' })),
    );
    expect(text).toContain('Apply failed with 1 conflict: conflict with "kubectl": .data.a');
    await ok('apply --server-side --field-manager=other --force-conflicts -f -', configMap('c', { a: '2' }));
    expect(await ok(['get', 'cm', 'c', '-o', 'jsonpath={.data.a}'])).toBe('2');
  });

  test('create makes from files and from flags, and refuses what is there', async () => {
    expect(await ok('create -f -', configMap('f', {}))).toBe('configmap/f created\n');
    expect(await ok('create configmap l --from-literal=a=1')).toBe('configmap/l created\n');
    expect(await ok('create secret generic s --from-literal=p=x')).toBe('secret/s created\n');
    expect(await ok(['get', 'secret', 's', '-o', 'jsonpath={.data.p}'])).toBe('eA==');
    const text = await fails('create -f -', 1, JSON.stringify(configMap('f', {})));
    expect(text).toBe(
      'Error from server (AlreadyExists): error when creating "STDIN": configmaps "f" already exists\n',
    );
  });

  test('an unknown field and an invalid name are refused in upstream words', async () => {
    const unknown = await fails('create -f -', 1, JSON.stringify({ ...configMap('u', {}), dta: {} }));
    expect(unknown).toContain('strict decoding error: unknown field "dta"');
    const invalid = await fails('create -f -', 1, JSON.stringify(sleeper('Not_A_Name')));
    expect(invalid).toMatch(/^The Pod "Not_A_Name" is invalid: ?\n?.*metadata\.name: Invalid value: "Not_A_Name"/);
  });

  test('replace puts, refuses a stale version, and --force makes anew', async () => {
    await ok('create -f -', configMap('c', { a: '1' }));
    const stale = JSON.parse(await ok('get cm c -o json'));
    expect(await ok('replace -f -', configMap('c', { a: '2' }))).toBe('configmap/c replaced\n');
    expect(await fails('replace -f -', 1, JSON.stringify(stale))).toContain(
      'the object has been modified; please apply your changes to the latest version',
    );
    await ok('create -f -', sleeper('p'));
    const uid = await ok(['get', 'pod', 'p', '-o', 'jsonpath={.metadata.uid}']);
    expect(await ok('replace --force -f -', sleeper('p', {}, { again: 'yes' }))).toContain('pod/p replaced');
    expect(await ok(['get', 'pod', 'p', '-o', 'jsonpath={.metadata.uid}'])).not.toBe(uid);
  });

  test('delete waits until the object is gone, by name, by file and with its namespace', async () => {
    await ok('create -f -', sleeper('p'));
    await running('p');
    expect(await ok('delete pod p')).toMatch(/^pod "p" deleted/);
    expect(await fails('get pod p')).toContain('not found');
    await ok('create -f -', configMap('c', {}));
    const file = join(cluster.folder, 'c.json');
    writeFileSync(file, JSON.stringify(configMap('c', {})));
    expect(await ok(`delete -f ${file}`)).toMatch(/^configmap "c" deleted/);
    expect(await fails('delete cm c')).toContain('configmaps "c" not found');
    await ok('create namespace wire-gone');
    await ok('create -n wire-gone -f -', sleeper('p'));
    expect(await ok('delete ns wire-gone --timeout=60s')).toMatch(/^namespace "wire-gone" deleted/);
    expect(await fails('get ns wire-gone')).toContain('not found');
  });

  test('two documents of which one is bad: the good one is applied, the bad one named', async () => {
    const text = [configMap('good', {}), sleeper('Bad')].map(object => `---\n${stringify(object)}`).join('');
    expect(await fails('apply -f -', 1, text)).toContain('"Bad"');
    expect(await ok('get cm good -o name')).toBe('configmap/good\n');
  });
});

describe('logs', () => {
  const talker = sleeper(
    'talker',
    { command: ['sh', '-c', 'for i in 1 2 3; do echo line $i; done; sleep 3600'] },
    { app: 'talk' },
  );

  test('prints all, the tail, with times, since, limited, by label, and follows', async () => {
    await ok('create -f -', talker);
    await running('talker');
    expect(await ok('logs talker')).toBe('line 1\nline 2\nline 3\n');
    expect(await ok('logs talker --tail=1')).toBe('line 3\n');
    expect(await ok('logs talker --timestamps --tail=1')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line 3\n$/);
    expect(await ok('logs talker --since=1h')).toBe('line 1\nline 2\nline 3\n');
    expect(await ok('logs talker --since-time=2099-01-01T00:00:00Z')).toBe('');
    expect(await ok('logs talker --limit-bytes=6')).toBe('line 1');
    expect(await ok('logs -l app=talk')).toBe('line 1\nline 2\nline 3\n');
    await ok('create -f -', {
      ...sleeper('once', { command: ['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 1; done'] }),
      spec: {
        ...sleeper('once').spec,
        restartPolicy: 'Never',
        containers: [{ name: 'main', image, command: ['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 1; done'] }],
      },
    });
    expect(
      await waitFor(30, async () => ((await kubectl('logs once')).code === 0 ? undefined : 'no log yet')),
    ).toBeUndefined();
    expect(await ok('logs -f once')).toBe('1\n2\n3\n');
  });

  test('of the container before the last restart', async () => {
    const script =
      'if [ -f /data/again ]; then echo second; sleep 3600; else echo first; touch /data/again; exit 1; fi';
    await ok('create -f -', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'r' },
      spec: {
        terminationGracePeriodSeconds: 1,
        volumes: [{ name: 'data', emptyDir: {} }],
        containers: [
          { name: 'main', image, command: ['sh', '-c', script], volumeMounts: [{ name: 'data', mountPath: '/data' }] },
        ],
      },
    });
    expect(
      await waitFor(60, async () => ((await kubectl('logs r')).stdout === 'second\n' ? undefined : 'not restarted')),
    ).toBeUndefined();
    expect(await ok('logs r --previous')).toBe('first\n');
  });

  test("errors are the kubelet's", async () => {
    await ok('create -f -', talker);
    await running('talker');
    expect(await fails('logs talker -c x')).toContain('container x is not valid for pod talker');
    expect(await fails('logs talker -p')).toContain('previous terminated container "main" in pod "talker" not found');
    expect(await fails('logs nobody')).toContain('pods "nobody" not found');
    await ok('create -f -', sleeper('stuck', { image: 'non-existing-repo/non-existing-image:example' }));
    const state = ['get', 'pod', 'stuck', '-o', 'jsonpath={.status.containerStatuses[0].state.waiting.reason}'];
    expect(
      await waitFor(60, async () =>
        /^(ErrImagePull|ImagePullBackOff)$/.test(await ok(state)) ? undefined : await ok(state),
      ),
    ).toBeUndefined();
    expect(await fails('logs stuck')).toMatch(
      /container "main" in pod "stuck" is waiting to start: (trying and failing to pull image|image can't be pulled)/,
    );
  });
});

describe('exec and run', () => {
  test('exec gives output, input and the exit code', async () => {
    await ok('create -f -', sleeper('p'));
    await running('p');
    expect(await ok('exec p -- echo hello')).toBe('hello\n');
    expect((await kubectl('exec -i p -- cat', { input: 'from stdin' })).stdout).toBe('from stdin');
    expect(await kubectl(['exec', 'p', '--', 'sh', '-c', 'echo wrong >&2; exit 7'])).toMatchObject({
      code: 7,
      stdout: '',
    });
    expect(await fails('exec nobody -- true')).toContain('pods "nobody" not found');
  });

  test('run makes a pod', async () => {
    expect(await ok('run web --image=nginx --image-pull-policy=IfNotPresent')).toBe('pod/web created\n');
    await running('web');
    expect(await ok(['get', 'pod', 'web', '-o', 'jsonpath={.metadata.labels.run}'])).toBe('web');
  });

  test('run -i --rm is a pipe: nothing is lost, the exit code comes back, the pod is gone', async () => {
    const options = [
      '--image=busybox:1.28',
      '--image-pull-policy=IfNotPresent',
      '--restart=Never',
      '-i',
      '--rm',
      '--quiet',
    ];
    const upper = await kubectl(['run', 'upper', ...options, '--', 'tr', 'a-z', 'A-Z'], { input: 'hello\n' });
    expect(upper.code).toBe(0);
    expect(upper.stdout).toContain('HELLO\n');
    const failed = await kubectl(['run', 'failed', ...options, '--', 'sh', '-c', 'cat; exit 3'], { input: 'x' });
    expect(failed.code).toBe(3);
    expect(await ok('get pods -o name')).toBe('');
  });
});

describe('describe and the rest', () => {
  test('describe shows the pod with its events, and the node with what is promised', async () => {
    await ok(
      'create -f -',
      sleeper('p', { resources: { requests: { cpu: '100m', memory: '32Mi' }, limits: { memory: '64Mi' } } }),
    );
    await running('p');
    const pod = await ok('describe pod p');
    for (const part of [
      'QoS Class:',
      'Burstable',
      'Scheduled',
      'Pulled',
      'Created',
      'Started',
      `Successfully assigned ${namespace}/p to ${node}`,
    ]) {
      expect(pod).toContain(part);
    }
    const described = await ok(`describe node ${node}`);
    for (const part of ['Capacity:', 'Allocatable:', 'Non-terminated Pods:', 'Allocated resources:', 'KubeletReady'])
      expect(described).toContain(part);
    expect(lines(described).find(line => line.includes(` p `))).toMatch(
      /100m \(\d+%\) +0 \(0%\) +32Mi \(\d+%\) +64Mi \(\d+%\)/,
    );
  });

  test('describe finds by prefix and says when there is none', async () => {
    await ok('create -f -', sleeper('abc-1'));
    expect(await ok('describe pod abc')).toContain('Name:             abc-1');
    expect(await fails('describe pod zzz')).toContain('pods "zzz" not found');
  });

  test('top shows pods and nodes', async () => {
    await ok('create -f -', sleeper('p'));
    await running('p');
    expect(
      await waitFor(60, async () => ((await kubectl('top pod p --no-headers')).code === 0 ? undefined : 'no figures')),
    ).toBeUndefined();
    expect(header(await ok('top pods'))).toBe('NAME CPU(cores) MEMORY(bytes)');
    expect(await ok('top node --no-headers')).toMatch(new RegExp(`^${node} +\\d+m +\\d+% +\\d+Mi +\\d+%`));
  });

  test('version, api-resources, api-versions and explain', async () => {
    expect(await ok('version')).toMatch(/Server Version: v1\.35/);
    const resources = await ok('api-resources');
    for (const name of [
      'pods',
      'nodes',
      'namespaces',
      'configmaps',
      'secrets',
      'serviceaccounts',
      'events',
      'leases',
      'priorityclasses',
    ]) {
      expect(resources).toMatch(new RegExp(`^${name} `, 'm'));
    }
    expect(lines(await ok('api-versions'))).toEqual(
      expect.arrayContaining(['v1', 'coordination.k8s.io/v1', 'scheduling.k8s.io/v1']),
    );
    expect(await ok('explain pod.spec.containers.resources')).toContain('limits');
  });
});
