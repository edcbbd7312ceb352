import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Node, Pod } from '#api/kinds/core.ts';
import { Columns } from '#engine/columns/columns.ts';

const node = (name: string, cpu: number, pods: number): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    spec: {},
    status: { allocatable: { cpu: `${cpu}`, memory: '8Gi', pods: `${pods}` } },
  }) as unknown as Node;

const pod = (name: string, cpu: number): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: `${cpu}` } } }] },
  }) as unknown as Pod;

const small = fc.nat(99);
const step = fc.oneof(
  fc.record({ do: fc.constant('setNode' as const), at: small, cpu: fc.nat(8), pods: fc.nat(4) }),
  fc.record({ do: fc.constant('removeNode' as const), at: small }),
  fc.record({ do: fc.constant('addPod' as const), at: small, name: fc.nat(20), cpu: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('removePod' as const), name: fc.nat(20) }),
);

test('room everywhere is what asking every node says, however nodes and pods come and go', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 4 }), (steps, cpu) => {
      const columns = new Columns({ capacity: 4 });
      for (let i = 0; i < 70; i++) columns.setNode(node(`n${i}`, 4, 3));
      const wanted = { columns: [0], amounts: [cpu * 1000] };
      for (const one of steps) {
        if (one.do === 'setNode') columns.setNode(node(`n${one.at}`, one.cpu, one.pods));
        else if (one.do === 'removeNode') columns.removeNode(`n${one.at}`);
        else if (one.do === 'removePod') columns.removePod(`default/p${one.name}`);
        else {
          columns.removePod(`default/p${one.name}`);
          columns.addPod(pod(`p${one.name}`, one.cpu), `n${one.at}`);
        }
        const fits = [...columns.live.subarray(0, columns.count)].every(
          row => columns.resources.free[0]![row]! >= cpu * 1000 && columns.resources.podRoom[row]! >= 1,
        );
        expect(columns.room.isEverywhere(wanted)).toBe(fits);
      }
    }),
    { numRuns: 300 },
  );
});
