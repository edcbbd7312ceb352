/** What the agent reads out of the engine's answers. */
import { expect, test } from 'vitest';
import { type InspectAnswer, timeOf, toContainer } from '#agent/docker/answers.ts';

const answer = (state: Partial<InspectAnswer['State']>): InspectAnswer => ({
  Id: 'c1',
  Name: '/c',
  Created: '2026-01-01T00:00:00Z',
  Image: 'sha256:1',
  State: {
    Status: 'running',
    Pid: 7,
    ExitCode: 0,
    OOMKilled: false,
    Error: '',
    StartedAt: '2026-01-01T00:00:01.5Z',
    FinishedAt: '0001-01-01T00:00:00Z',
    ...state,
  },
  Config: { Image: 'a:1' },
});

test('the engine’s zero time is 0', () => {
  expect(timeOf('0001-01-01T00:00:00Z')).toBe(0);
  expect(toContainer(answer({}))).toMatchObject({ phase: 'running', finishedAtMs: 0, ip: '', stopSignal: 'SIGTERM' });
});

test('no container has ended before it started, whatever the engine notes of a very short one', () => {
  const seen = toContainer(answer({ Status: 'exited', FinishedAt: '2026-01-01T00:00:01.4Z' }));
  expect(seen.finishedAtMs).toBe(seen.startedAtMs);
});

test('one that runs again keeps the end of the run before', () => {
  const seen = toContainer(answer({ FinishedAt: '2025-12-31T00:00:00Z' }));
  expect(seen).toMatchObject({ phase: 'running', finishedAtMs: Date.parse('2025-12-31T00:00:00Z') });
});
