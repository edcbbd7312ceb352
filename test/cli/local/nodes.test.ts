import { describe, expect, test } from 'vitest';
import { hostNodeName, nodeText, parseNodes, shareOf } from '#cli/local/nodes.ts';

describe('--node', () => {
  test('a name alone is the whole machine', () => {
    const [plan] = parseNodes(['a']);
    expect([plan, shareOf(plan!)]).toEqual([{ name: 'a', share: {} }, undefined]);
  });
  test('a share is read into the units of the agent', () => {
    const [plan] = parseNodes(['a=cpu:1500m,memory:1Gi,pods:20,example.com/gpu:2']);
    expect(shareOf(plan!)).toEqual({
      cpuMilli: 1500,
      memoryBytes: 2 ** 30,
      pods: 20,
      extended: { 'example.com/gpu': '2' },
    });
    expect(parseNodes([nodeText(plan!)])).toEqual([plan]);
  });
  test.each([
    ['A_b', 'is not a valid node name'],
    ['a=cpu', '"cpu" is not RESOURCE:AMOUNT'],
    ['a=cpu:one', 'cpu: "one" is not a quantity'],
    ['a=cpu:0', 'cpu must be more than 0'],
    ['a=disk:1', 'disk is neither cpu, memory, pods nor an extended resource'],
    ['a=cpu:1,cpu:2', 'cpu is given twice'],
  ])('%s is refused', (text, why) => {
    expect(() => parseNodes([text])).toThrow(why);
  });
  test('two nodes of one name are refused', () => {
    expect(() => parseNodes(['a', 'a=cpu:1'])).toThrow('two nodes have the same name');
  });
  test('any host name gives a node name', () => {
    expect(['Web_01.Example', '---', 'x'].map(hostNodeName)).toEqual(['web-01.example', 'node', 'x']);
  });
});
