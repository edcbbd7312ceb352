import { describe, expect, test } from 'vitest';
import type { Container, Pod, PodSpec } from '#api/kinds/core.ts';
import { qosClass } from '#api/qos.ts';

type List = Record<string, string>;
const pod = (containers: readonly [requests?: List, limits?: List][], more: Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: containers.map(([requests, limits], i) => container(`c${i}`, requests, limits)), ...more },
});
const container = (name: string, requests: List = {}, limits: List = {}): Container => ({
  name,
  resources: { requests, limits },
});
const full = { cpu: '700m', memory: '200Mi' };

describe('quality of service', () => {
  test('is Guaranteed when every container has equal requests and limits of cpu and memory', () => {
    expect(qosClass(pod([[full, full]]))).toBe('Guaranteed');
    expect(qosClass(pod([[{ cpu: '0.7', memory: '204800Ki' }, full]]))).toBe('Guaranteed');
  });
  test('is Burstable when one container lacks something', () => {
    expect(qosClass(pod([[full, full], []]))).toBe('Burstable');
    expect(qosClass(pod([[full, { cpu: '700m' }]]))).toBe('Burstable');
    expect(qosClass(pod([[{ memory: '100Mi' }, { memory: '200Mi' }]]))).toBe('Burstable');
  });
  test('looks at init containers too', () => {
    expect(qosClass(pod([[full, full]], { initContainers: [container('i')] }))).toBe('Burstable');
  });
  test('is BestEffort without cpu and memory above zero, whatever else is asked for', () => {
    expect(qosClass(pod([[]]))).toBe('BestEffort');
    expect(qosClass(pod([[{ cpu: '0', 'ephemeral-storage': '1Gi' }, { 'example.com/gpu': '1' }]]))).toBe('BestEffort');
  });
  test('follows the pod-level resources alone where there are any', () => {
    expect(qosClass(pod([[]], { resources: { requests: full, limits: full } }))).toBe('Guaranteed');
    expect(qosClass(pod([[full, full]], { resources: { requests: { cpu: '1' } } }))).toBe('Burstable');
    expect(qosClass(pod([[full, full]], { resources: {} }))).toBe('BestEffort');
  });
});
