import { describe, expect, it } from 'vitest';
import { findUntolerated, tolerates } from '#api/taints.ts';

const taint = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' };

describe('tolerates', () => {
  it.each([
    [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }, true],
    [{ key: 'dedicated', operator: 'Equal', value: 'gpu' }, true],
    [{ key: 'dedicated', operator: 'Equal', value: 'cpu' }, false],
    [{ key: 'dedicated', operator: 'Exists' }, true],
    [{ operator: 'Exists' }, true],
    [{ operator: 'Exists', effect: 'NoExecute' }, false],
    [{ key: 'other', operator: 'Exists' }, false],
    [{ key: 'dedicated' }, false],
    [{ key: 'dedicated', operator: 'Nonsense', value: 'gpu' }, false],
  ])('%j: %s', (toleration, expected) => {
    expect(tolerates(toleration, taint)).toBe(expected);
  });

  it('compares numbers only when asked to', () => {
    const sla = { key: 'sla', value: '950', effect: 'NoSchedule' };
    const gt = { key: 'sla', operator: 'Gt', value: '900' };
    expect(tolerates(gt, sla)).toBe(false);
    expect(tolerates(gt, sla, { comparison: true })).toBe(true);
    expect(tolerates({ ...gt, operator: 'Lt' }, sla, { comparison: true })).toBe(false);
    expect(tolerates(gt, { ...sla, value: '0950' }, { comparison: true })).toBe(false);
    expect(tolerates({ ...gt, value: '+900' }, sla, { comparison: true })).toBe(false);
    expect(tolerates({ ...gt, value: '-9223372036854775809' }, sla, { comparison: true })).toBe(false);
    expect(tolerates({ ...gt, value: '-9223372036854775808' }, sla, { comparison: true })).toBe(true);
  });

  it('finds the first taint of the effects that nothing tolerates', () => {
    const taints = [
      { key: 'soft', effect: 'PreferNoSchedule' },
      { key: 'a', effect: 'NoExecute' },
      { key: 'b', effect: 'NoSchedule' },
    ];
    expect(findUntolerated(taints, undefined, ['NoSchedule', 'NoExecute'])?.key).toBe('a');
    expect(findUntolerated(taints, [{ key: 'a', operator: 'Exists' }], ['NoSchedule', 'NoExecute'])?.key).toBe('b');
    expect(findUntolerated(taints, [{ operator: 'Exists' }], ['NoSchedule', 'NoExecute'])).toBeUndefined();
    expect(findUntolerated(undefined, undefined, ['NoSchedule'])).toBeUndefined();
  });
});
