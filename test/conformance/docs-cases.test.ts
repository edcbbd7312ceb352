import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { milliValue, wholeValue } from '#api/quantity.ts';
import { caseScripts } from './case-scripts.ts';
import { allCases, isCommand, manifestFolder } from './cases.ts';
import { excludedCases } from './excluded-cases.ts';

const ids = new Set(allCases.map(found => found.id));
const running = allCases.filter(found => excludedCases[found.id] === undefined);

describe('the cases of the Kubernetes documentation', () => {
  test('are all either run or excluded with a reason', () => {
    expect(allCases.length).toBe(80);
    for (const id of Object.keys(excludedCases)) expect(ids).toContain(id);
    for (const id of Object.keys(caseScripts)) expect(running.map(found => found.id)).toContain(id);
    const later = /Deployment|ReplicaSet|Job|DaemonSet|StatefulSet|ReplicationController|LimitRange|ResourceQuota/;
    for (const found of running) expect(found.needsKinds.filter(kind => later.test(kind))).toEqual([]);
  });

  test.each(running.map(found => [found.id, found] as const))(
    '%s: every sentence has a script and every manifest is there',
    (id, found) => {
      found.steps.forEach((step, i) => {
        const line = step.do ?? step.check;
        const scripted = caseScripts[id]?.instead?.[i] !== undefined;
        if (line !== undefined && !isCommand(line)) expect([i, line, scripted]).toEqual([i, line, true]);
        if (step.hostCheck !== undefined) expect(scripted).toBe(true);
        for (const [, name] of (line ?? '').matchAll(/docs-manifests\/(\S+\.yaml)/g)) {
          expect(existsSync(join(manifestFolder, name!)), name).toBe(true);
        }
      });
      for (const index of Object.keys(caseScripts[id]?.instead ?? {})) expect(found.steps[Number(index)]).toBeDefined();
    },
  );

  const units = running.flatMap(found => found.steps.filter(step => step.unit !== undefined));
  test.each(units.map(step => [step.unit!, step] as const))('quantities: %s', (unit, step) => {
    const parse = unit.includes('bytes') ? wholeValue : milliValue;
    for (const [text, value] of Object.entries(step.values ?? {})) expect([text, parse(text)]).toEqual([text, value]);
  });
});
