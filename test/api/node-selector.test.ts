import { describe, expect, it } from 'vitest';
import { type NodeSelectorTerm, nodeSelectorMatches, podMatchesNodeSelectorAndAffinity } from '#api/node-selector.ts';

const node = { metadata: { name: 'n1', labels: { zone: 'a', gen: '7', 'example.com/gpu': '' } } };
const matches = (...nodeSelectorTerms: NodeSelectorTerm[]) => nodeSelectorMatches({ nodeSelectorTerms }, node);
const expr = (key: string, operator: string, ...values: string[]): NodeSelectorTerm => ({
  matchExpressions: [{ key, operator, values }],
});

describe('node selector', () => {
  it.each<[string, NodeSelectorTerm, boolean]>([
    ['In', expr('zone', 'In', 'a', 'b'), true],
    ['In without the label', expr('rack', 'In', 'a'), false],
    ['NotIn without the label', expr('rack', 'NotIn', 'a'), true],
    ['Exists', expr('example.com/gpu', 'Exists'), true],
    ['DoesNotExist', expr('zone', 'DoesNotExist'), false],
    ['Gt', expr('gen', 'Gt', '6'), true],
    ['Gt equal', expr('gen', 'Gt', '7'), false],
    ['Lt', expr('gen', 'Lt', '10'), true],
    ['Lt on text', expr('zone', 'Lt', '10'), false],
    ['Gt without label', expr('rack', 'Gt', '0'), false],
    ['Gt with two values', expr('gen', 'Gt', '1', '2'), false],
    ['Gt with text', expr('gen', 'Gt', 'x'), false],
    ['In without values', expr('zone', 'In'), false],
    ['unknown operator', expr('zone', 'Like', 'a'), false],
    ['empty term', {}, false],
    ['field', { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }, true],
    ['field NotIn', { matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['n1'] }] }, false],
    ['two field values', { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1', 'n2'] }] }, false],
    ['other field', { matchFields: [{ key: 'spec.x', operator: 'NotIn', values: ['n1'] }] }, false],
  ])('%s: %j is %s', (_name, term, expected) => {
    expect(matches(term)).toBe(expected);
  });

  it('ORs terms and lets a faulty one not spoil the others', () => {
    expect(matches(expr('zone', 'In', 'z'), expr('zone', 'In', 'a'))).toBe(true);
    expect(matches(expr('zone', 'Like', 'a'), expr('zone', 'In', 'a'))).toBe(true);
    expect(matches()).toBe(false);
  });

  it('ANDs nodeSelector with affinity', () => {
    const required = { nodeSelectorTerms: [expr('zone', 'In', 'a')] };
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
    expect(podMatchesNodeSelectorAndAffinity({ spec: { affinity } }, node)).toBe(true);
    expect(podMatchesNodeSelectorAndAffinity({ spec: { affinity, nodeSelector: { gen: '8' } } }, node)).toBe(false);
    expect(podMatchesNodeSelectorAndAffinity({ spec: {} }, node)).toBe(true);
  });
});
