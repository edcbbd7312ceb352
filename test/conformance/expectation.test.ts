import { describe, expect, test } from 'vitest';
import { commandsOf, disappointment } from './expectation.ts';

const printed = (stdout: string, code = 0, stderr = '') => ({ stdout, code, stderr });

describe('an expectation of a documentation case', () => {
  test('is met by what it names and by nothing else', () => {
    const met: [string, object][] = [
      ['Running\n', { equals: 'Running' }],
      ['Sleep expired\n', { equals: 'Sleep expired\n' }],
      ['137', { oneOf: ['137', '1'] }],
      ['3', { atLeast: 2 }],
      ['a\nb\n', { lineCount: 2 }],
      ['', { lineCount: 0 }],
      ['n1\nx\nrest', { lines: ['n1', 'x'] }],
      ['REVISION\n1  <none>\n3  <none>\n', { revisions: [1, 3] }],
      ['memory-demo 5m 151Mi', { memoryBytesBetween: [150e6, 180e6] }],
      ['cpu-demo 974m 1Mi', { cpuMilliBetween: [800, 1050] }],
    ];
    for (const [text, expected] of met) expect(disappointment(printed(text), expected)).toBeUndefined();
    const unmet: [string, object][] = [
      ['Pending', { equals: 'Running' }],
      ['Sleep expired', { equals: 'Sleep expired\n' }],
      ['2', { oneOf: ['137', '1'] }],
      ['', { atLeast: 0 }],
      ['1', { atLeast: 2 }],
      ['a\nb\nc', { lineCount: 2 }],
      ['x\nn1', { lines: ['n1', 'x'] }],
      ['1  <none>', { revisions: [1, 3] }],
      ['memory-demo 5m 15Mi', { memoryBytesBetween: [150e6, 180e6] }],
      ['error', { cpuMilliBetween: [800, 1050] }],
      ['nothing', { contains: ['some'] }],
      ['nothing', { containsOneOf: ['a', 'b'] }],
      ['nothing', { startsWith: 'some' }],
    ];
    for (const [text, expected] of unmet) expect(disappointment(printed(text), expected)).toBeTypeOf('string');
  });

  test('includes the exit code, which is 0 unless the case says otherwise', () => {
    expect(disappointment(printed('', 1, 'no'), {})).toContain('exit code 1 instead of 0');
    expect(disappointment(printed('', 1), { expectExit: 'nonzero' })).toBeUndefined();
    expect(disappointment(printed('', 0), { expectExit: 'nonzero' })).toContain('exit code 0');
    expect(disappointment(printed('', 1, 'is forbidden'), { expectExit: 1, stderrContains: ['other'] })).toContain(
      'lacks',
    );
  });
});

describe('a command line of a documentation case', () => {
  test('needs no quotes for JSON and JSONPath', () => {
    const path = '{.status.conditions[?(@.type=="PodScheduled")].status}';
    expect(commandsOf(`kubectl get pod p -o jsonpath=${path}`)).toEqual([
      ['kubectl', 'get', 'pod', 'p', '-o', `jsonpath=${path}`],
    ]);
    expect(commandsOf('kubectl patch node n -p [{"op":"add","path":"/a~1b"}]')[0]!.at(-1)).toBe(
      '[{"op":"add","path":"/a~1b"}]',
    );
  });

  test('keeps quoted words together and separates commands', () => {
    expect(
      commandsOf(`kubectl exec p -- sh -c "echo a > b"; kubectl run x -- sh -c 'exit 1' && kubectl get x`),
    ).toEqual([
      ['kubectl', 'exec', 'p', '--', 'sh', '-c', 'echo a > b'],
      ['kubectl', 'run', 'x', '--', 'sh', '-c', 'exit 1'],
      ['kubectl', 'get', 'x'],
    ]);
  });
});
