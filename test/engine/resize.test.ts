/** Which placed pods are alike to the scheduler, as their container statuses come and go. */
import { expect, test } from 'vitest';
import type { ContainerStatus, Pod } from '#api/kinds/core.ts';
import { shapeKeyOf } from '#engine/shapes/shape.ts';

const requests = { cpu: '500m', memory: '64Mi' };

const placed = (statuses: readonly Partial<ContainerStatus>[], reason?: string): string => {
  const conditions = reason === undefined ? [] : [{ type: 'PodResizePending', status: 'True', reason }];
  return shapeKeyOf(
    {
      metadata: { name: 'web', namespace: 'default' },
      spec: { nodeName: 'n1', containers: [{ name: 'app', image: 'x', resources: { requests } }] },
      status: { containerStatuses: statuses.map(status => ({ name: 'app', ...status })), conditions },
    } as unknown as Pod,
    true,
  );
};

test('a pod that runs with what it asked for is like one that has not started', () => {
  const resources = { requests, limits: { cpu: '1' } };
  const running = placed([{ containerID: 'docker://1', ready: true, resources, allocatedResources: requests }]);
  expect(running).toBe(placed([]));
  expect(placed([{ containerID: 'docker://2', restartCount: 3, resources }])).toBe(running);
  expect(placed([{ resources: {} }])).toBe(running);
});

test('a pod that holds other amounts than it asks for is its own kind, whatever else its status says', () => {
  const more = { cpu: '1', memory: '64Mi' };
  const growing = placed([{ resources: { requests: more }, allocatedResources: requests }]);
  expect(growing).not.toBe(placed([]));
  expect(placed([{ containerID: 'docker://2', resources: { requests: more }, allocatedResources: requests }])).toBe(
    growing,
  );
  expect(placed([{ resources: { requests }, allocatedResources: more }])).not.toBe(growing);
  expect(placed([{ resources: { requests: more }, allocatedResources: requests }], 'Infeasible')).not.toBe(growing);
});
