/** Command lines against a fake API: what is asked, what is said, how it ends. Likeness to kubectl is in parity.kubectl.test.ts. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeApi, failure, startFakeApi } from './fake-api.ts';
import { type Shell, shellFor } from './run.ts';

let api: FakeApi;
let shell: Shell;
beforeEach(async () => {
  api = await startFakeApi();
  shell = shellFor(api.url);
});
afterEach(() => api.close());

const pod = (name: string, phase = 'Running') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: name } },
  spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
  status: { phase },
});
const manifest = (name: string, more = '') =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  containers:\n  - name: c\n    image: i\n${more}`;

describe('berth', () => {
  test('--help names every command', async () => {
    const { code, out } = await shell.run(['--help']);
    expect(code).toBe(0);
    for (const name of [
      'up',
      'down',
      'status',
      'apply',
      'get',
      'describe',
      'delete',
      'logs',
      'top',
      'events',
      'wait',
    ]) {
      expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    }
  });
  test.each(['up', 'down', 'status', 'demo', 'server', 'agent', 'token', 'apply', 'get', 'describe', 'delete', 'logs'])(
    '%s --help says how it is used',
    async name => {
      const { code, out } = await shell.run([name, '--help']);
      expect([code, out.startsWith(`Usage: berth ${name} `)]).toEqual([0, true]);
    },
  );
  test('a mistyped command brings the one that was meant', async () => {
    expect(await shell.run(['aply'])).toEqual({
      code: 1,
      out: '',
      err: 'error: unknown command "aply" for "berth"\n\nDid you mean this?\n\tapply\n',
    });
  });
  test('an unknown flag is refused', async () => {
    const { code, err } = await shell.run(['get', 'pods', '--nope']);
    expect(code).toBe(1);
    expect(err).toContain('unknown flag: --nope');
  });
  test('no context says what to do', async () => {
    const { code, err } = await shell.run(['get', 'pods', '--context', 'other']);
    expect(code).toBe(1);
    expect(err).toContain('berth up');
  });
  test('a server that is away is said as kubectl says it', async () => {
    await api.close();
    const { code, err } = await shell.run(['get', 'pods']);
    expect(code).toBe(1);
    expect(err).toMatch(
      /^The connection to the server 127\.0\.0\.1:\d+ was refused - did you specify the right host or port\?\n/,
    );
    api = await startFakeApi();
  });
  test('the token goes with each request, and 401 says so', async () => {
    api.answer = () => failure(401, 'Unauthorized', 'Unauthorized');
    expect((await shell.run(['get', 'pods'])).err).toBe('error: You must be logged in to the server (Unauthorized)\n');
  });
});

describe('berth apply', () => {
  test('asks as kubectl does, so that both go on with each other’s objects', async () => {
    shell.file('p.yaml', manifest('p'));
    expect(await shell.run(['apply', '-f', 'p.yaml'])).toEqual({ code: 0, out: 'pod/p created\n', err: '' });
    const post = api.asked.find(asked => asked.method === 'POST')!;
    expect(Object.fromEntries(post.query)).toEqual({
      fieldManager: 'kubectl-client-side-apply',
      fieldValidation: 'Strict',
    });
    expect((await shell.run(['apply', '-f', 'p.yaml'])).out).toBe('pod/p unchanged\n');
    shell.file('p.yaml', manifest('p').replace('image: i', 'image: j'));
    expect((await shell.run(['apply', '-f', 'p.yaml'])).out).toBe('pod/p configured\n');
    const patch = api.asked.find(asked => asked.method === 'PATCH')!;
    expect(patch.contentType).toBe('application/strategic-merge-patch+json');
    expect(patch.body).toMatchObject({ spec: { containers: [{ name: 'c', image: 'j' }] } });
  });
  test('good ones are applied, bad ones reported, and the exit code is 1', async () => {
    shell.file(
      'm.yaml',
      `${manifest('a')}---\napiVersion: x/v1\nkind: Nope\nmetadata: {name: n}\n---\n${manifest('b')}`,
    );
    const { code, out, err } = await shell.run(['apply', '-f', 'm.yaml']);
    expect([code, out]).toEqual([1, 'pod/a created\npod/b created\n']);
    expect(err).toContain(
      'no matches for kind "Nope" in version "x/v1" (m.yaml:11:1)\nensure CRDs are installed first\n',
    );
  });
  test('what the server refuses is shown at its place', async () => {
    shell.file('p.yaml', manifest('p', '    resources:\n      limits: {cpu: 1 core}\n'));
    const field = 'spec.containers[0].image';
    api.answer = ({ method }) =>
      method === 'POST'
        ? failure(422, 'Invalid', 'not shown', {
            name: 'p',
            kind: 'Pod',
            causes: [{ reason: 'FieldValueInvalid', field, message: 'Invalid value: "i": no' }],
          })
        : undefined;
    expect(await shell.run(['apply', '-f', 'p.yaml'])).toEqual({
      code: 1,
      out: '',
      err: `The Pod "p" is invalid: ${field}: Invalid value: "i": no\np.yaml:8:5: ${field}\n   8 |     image: i\n     |     ^\n`,
    });
    api.answer = ({ method }) =>
      method === 'POST' ? failure(400, 'BadRequest', "quantities must match the regular expression 'x'") : undefined;
    expect((await shell.run(['apply', '-f', 'p.yaml'])).err).toContain(
      'p.yaml:10:16: spec.containers[0].resources.limits.cpu',
    );
  });
  test('warnings of the server go to stderr', async () => {
    shell.file('p.yaml', manifest('p'));
    api.answer = ({ method, body }) =>
      method === 'POST' ? { code: 201, body, headers: { warning: '299 - "field \\"x\\" is ignored"' } } : undefined;
    expect((await shell.run(['apply', '-f', 'p.yaml'])).err).toBe('Warning: field "x" is ignored\n');
  });
  test('more than the server takes is said before it is sent', async () => {
    shell.file(
      'big.yaml',
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata:\n  a: ${'x'.repeat(2_000_000)}\n`,
    );
    const { code, err } = await shell.run(['apply', '-f', 'big.yaml']);
    expect([code, err]).toEqual([
      1,
      'Error from server (RequestEntityTooLarge): error when creating "big.yaml": Request entity too large: limit is 3145728\n',
    ]);
  });
  test('a conflict of server-side apply tells the ways out', async () => {
    shell.file('p.yaml', manifest('p'));
    api.answer = ({ method }) =>
      method === 'PATCH'
        ? failure(409, 'Conflict', 'Apply failed with 1 conflict: conflict with "other" using v1: .spec.x')
        : undefined;
    const { code, err } = await shell.run(['apply', '--server-side', '-f', 'p.yaml']);
    expect(code).toBe(1);
    expect(err).toContain('Error from server (Conflict): Apply failed with 1 conflict');
    expect(err).toContain('--force-conflicts');
  });
  test('stdin', async () => {
    expect((await shell.run(['apply', '-f', '-'], { stdin: manifest('s') })).out).toBe('pod/s created\n');
  });
});

describe('berth get -w', () => {
  test('prints a line for each change, aligned with the first, until it is interrupted', async () => {
    api.add(pod('a-rather-long-name'));
    const stop = new AbortController();
    const seen = { steps: 0 };
    const { code, out } = await shell.run(['get', 'pods', '-w'], {
      signal: stop.signal,
      onOut: text => {
        const lines = text.trimEnd().split('\n').length;
        if (lines === 2 && seen.steps === 0) {
          seen.steps = 1;
          // The watch is open once the API has been asked for it.
          const when = setInterval(() => {
            if (!api.asked.some(asked => asked.query.get('watch') === 'true')) return;
            clearInterval(when);
            api.add(pod('b', 'Pending'));
          }, 5);
        } else if (lines === 3) api.remove('Pod', 'b');
        else if (lines === 4) stop.abort(130);
      },
    });
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'NAME                 STATUS    AGE',
      'a-rather-long-name   Running   5m',
      'b                    Pending   5m',
      'b                    Pending   5m',
      '',
    ]);
  });
});

describe('berth delete', () => {
  test('waits until the object is gone, and another of its name does not count', async () => {
    api.add(pod('a'));
    expect(await shell.run(['delete', 'pod', 'a', '--grace-period=5'])).toEqual({
      code: 0,
      out: 'pod "a" deleted\n',
      err: '',
    });
    const sent = api.asked.find(asked => asked.method === 'DELETE')!;
    expect(sent.body).toMatchObject({ gracePeriodSeconds: 5, propagationPolicy: 'Background' });
  });
  test('--timeout ends the wait with exit code 1', async () => {
    api.add(pod('a'));
    api.answer = ({ method }) =>
      method === 'DELETE'
        ? { body: { kind: 'Status', status: 'Success', details: { uid: api.find('Pod', 'a')!.metadata.uid } } }
        : undefined;
    const { code, err } = await shell.run(['delete', 'pod', 'a', '--timeout=50ms']);
    expect([code, err]).toEqual([1, 'error: timed out waiting for the condition on pods/a\n']);
  });
  test('--wait=false does not wait', async () => {
    api.add(pod('a'));
    api.answer = ({ method }) => (method === 'DELETE' ? { body: { kind: 'Status', status: 'Success' } } : undefined);
    expect((await shell.run(['delete', 'pod/a', '--wait=false'])).code).toBe(0);
  });
  test('--force without a grace period warns and sends 0', async () => {
    api.add(pod('a'));
    const { out, err } = await shell.run(['delete', 'pod', 'a', '--force']);
    expect(out).toBe('pod "a" force deleted\n');
    expect(err).toContain('Warning: Immediate deletion does not wait');
    expect(api.asked.find(asked => asked.method === 'DELETE')!.body).toMatchObject({ gracePeriodSeconds: 0 });
  });
});

describe('berth wait', () => {
  test('goes on when the condition comes true', async () => {
    const waiting = { ...pod('a'), status: { phase: 'Pending', conditions: [{ type: 'Ready', status: 'False' }] } };
    api.add(waiting);
    const ran = shell.run(['wait', '--for=condition=ready', 'pod/a', '--timeout=20s']);
    await new Promise<void>(resolve => {
      const when = setInterval(() => {
        if (!api.asked.some(asked => asked.query.get('watch') === 'true')) return;
        clearInterval(when);
        resolve();
      }, 5);
    });
    api.add({ ...waiting, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } });
    expect(await ran).toEqual({ code: 0, out: 'pod/a condition met\n', err: '' });
  });
});

describe('small changes', () => {
  test('label sets, refuses to overwrite, removes', async () => {
    api.add(pod('a'));
    expect((await shell.run(['label', 'pod', 'a', 'x=1'])).out).toBe('pod/a labeled\n');
    const refused = await shell.run(['label', 'pod', 'a', 'x=2']);
    expect([refused.code, refused.err]).toEqual([1, "error: 'x' already has a value (1), and --overwrite is false\n"]);
    expect((await shell.run(['label', 'pod', 'a', 'x-'])).out).toBe('pod/a unlabeled\n');
  });
  test('taint and cordon say what they did', async () => {
    api.add({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, spec: {} });
    expect((await shell.run(['taint', 'node', 'n', 'k=v:NoSchedule'])).out).toBe('node/n tainted\n');
    expect(api.find('Node', 'n')!['spec']).toEqual({ taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] });
    expect((await shell.run(['taint', 'node', 'n', 'k-'])).out).toBe('node/n untainted\n');
    expect((await shell.run(['cordon', 'n'])).out).toBe('node/n cordoned\n');
    expect((await shell.run(['cordon', 'n'])).out).toBe('node/n already cordoned\n');
    expect((await shell.run(['uncordon', 'n'])).out).toBe('node/n uncordoned\n');
  });
});
