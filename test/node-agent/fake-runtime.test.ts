import { describe } from 'vitest';
import { FakeRuntime } from '#test/node-agent/fake-runtime.ts';
import { runtimeContract } from '#test/node-agent/runtime-contract.ts';
import { virtualClock } from '#test/virtual.ts';

describe('the fake engine', () => {
  const clock = virtualClock();
  const runtime = new FakeRuntime(
    { clock, program: spec => (spec.name.includes('exits') ? { runsMs: 10, exitCode: 3 } : {}) },
    ['image:1'],
  );
  const labels = { suite: 'contract' };
  runtimeContract(
    () => ({
      runtime,
      spec: name => ({
        name,
        image: 'image:1',
        labels,
        env: [],
        tty: false,
        stdin: false,
        stdinOnce: false,
        host: { NetworkMode: 'none' },
      }),
      pause: () => clock.advance(10),
    }),
    labels,
  );
});
