/** Flags: faults are said in kubectl's words before anything is done, and what only kubectl has is named as such. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeApi, startFakeApi } from './fake-api.ts';
import { type Shell, shellFor } from './run.ts';

let api: FakeApi;
let shell: Shell;
beforeEach(async () => {
  api = await startFakeApi();
  shell = shellFor(api.url);
  api.add({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' }, data: {} });
});
afterEach(() => api.close());

describe('a fault of the command line', () => {
  test.each([
    ['get pods --nope', 'error: unknown flag: --nope'],
    ['get pods --nope=1', 'error: unknown flag: --nope'],
    ['get pods -Z', "error: unknown shorthand flag: 'Z' in -Z"],
    ['get pods --sort-by', 'error: flag needs an argument: --sort-by'],
    [
      'get pods --watch=maybe',
      'error: invalid argument "maybe" for "-w, --watch" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    ['delete cm a --timeout=5', 'error: invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"'],
    [
      'delete cm a --grace-period=x',
      'error: invalid argument "x" for "--grace-period" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
  ])('%s', async (line, message) => {
    const { code, out, err } = await shell.run(line.split(' '));
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe(`${message}\nSee 'berth ${line.split(' ')[0]} --help' for usage.\n`);
    expect(api.asked).toEqual([]);
  });

  test('a flag of a command below another names both', async () => {
    expect((await shell.run(['top', 'pod', '--nope'])).err).toContain("See 'berth top pod --help' for usage.");
  });

  test('of a flag given twice the last one counts', async () => {
    const noHeaders = ['get', 'cm', 'a', '--no-headers', '--no-headers=false'];
    expect((await shell.run(noHeaders)).out).toMatch(/^NAME/);
    expect((await shell.run([...noHeaders, '--no-headers=true'])).out).toMatch(/^a /);
    expect((await shell.run(['top', 'node', '--no-headers=false'])).code).toBe(1);
  });
});

describe('what only kubectl has', () => {
  test.each([
    ['get pods --as bob', 'kubectl --context berth get …'],
    ['get -k dir', 'kubectl --context berth get …'],
    ['apply -f x --prune', 'kubectl --context berth apply …'],
    ['delete cm a -i', 'kubectl --context berth delete …'],
    ['explain pods', 'kubectl --context berth explain …'],
    ['config use-context berth', 'kubectl config …'],
    ['run x --image=y', 'kubectl --context berth run …'],
    ['apply view-last-applied cm a', 'kubectl --context berth apply view-last-applied …'],
  ])('%s is refused with the way to it', async (line, way) => {
    const { code, out, err } = await shell.run(line.split(' '));
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`kubectl has it and works with the same cluster: ${way}`);
  });

  test.each(['go-template={{.kind}}', 'template={{.kind}}'])('-o %s says what to use instead', async form => {
    const { code, err } = await shell.run(['get', 'cm', 'a', '-o', form]);
    expect([code, err]).toEqual([1, expect.stringContaining('use -o jsonpath=…')]);
  });
});

describe('names that are none', () => {
  test.each([
    ['delete', 'cm', ''],
    ['delete', 'cm', '.'],
    ['delete', 'cm', '..'],
    ['delete', 'cm', 'a/../..'],
    ['delete', 'cm', 'a%2fb'],
    ['delete', 'cm', '-l', ''],
    ['delete', 'cm', '--field-selector='],
    ['delete', 'cm', 'a', '-n', '..'],
    ['label', 'cm', '', 'x=y'],
    ['label', 'cm', '..', 'x=y'],
    ['get', 'cm', ''],
    ['describe', 'cm', ''],
    ['logs', ''],
    ['logs', '..'],
    ['wait', '--for=delete', 'cm/..'],
  ])('%s %s %s %s reaches nothing', async (...args) => {
    const words = args.filter(word => typeof word === 'string');
    expect((await shell.run(words)).code).toBe(1);
    expect(api.asked.filter(asked => asked.method !== 'GET')).toEqual([]);
    expect(api.find('ConfigMap', 'a')).toBeDefined();
  });
});

describe('--request-timeout', () => {
  test('ends a request that gets no answer', async () => {
    api.answer = () => 'never';
    const { code, err } = await shell.run(['get', 'cm', '--request-timeout=50ms']);
    expect([code, err]).toEqual([1, 'error: no answer from the server within 0.05 s\n']);
    expect((await shell.run(['get', 'cm', '-w', '--request-timeout=50ms'])).code).toBe(1);
  });

  test('ends a watch that has had its time, in order', async () => {
    const { code, out, err } = await shell.run(['get', 'cm', '-w', '-o', 'name', '--request-timeout=300ms']);
    expect([code, out, err]).toEqual([0, 'configmap/a\n', '']);
  });
});

test('exec keeps what stands behind -- for the container', async () => {
  expect((await shell.run(['exec', 'a', 'ls'])).err).toContain('Use exec [POD] -- [COMMAND] instead');
  expect((await shell.run(['exec', 'a', '--'])).err).toBe(
    'error: you must specify at least one command for the container\n',
  );
});
