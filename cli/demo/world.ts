/** What the stories work with: the demo's cluster through its API, the engine below it, and ways to wait for both. */
import type { Kind } from '#api/kind.ts';
import { type Event, eventKind, type Node, nodeKind, type Pod, podKind } from '#api/kinds/core.ts';
import type { KubeObject } from '#api/object.ts';
import type { Clock } from '#base/clock.ts';
import type { Client } from '#client/client.ts';
import type { EngineApi } from '#setup/engine-api.ts';
import type { Screen } from './screen.ts';

export const namespace = 'default';

/** The user ended the demo: not a failure of a story. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** Something did not come about in its time; the message says what and what was seen instead. */
export class NotInTime extends Error {
  override name = 'NotInTime';
}

export interface World {
  readonly client: Client;
  readonly engine: EngineApi;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly screen: Screen;
}

const pollMs = 100;

/** Sleeps; throws Interrupted when the demo is ended meanwhile. */
export const pause = async (world: World, delayMs: number): Promise<void> => {
  await world.clock.sleep(delayMs, world.signal);
  if (world.signal.aborted) throw new Interrupted('interrupted');
};

/**
 * Asks `look` again and again until it gives something, at most `withinMs`. `saying` is what is being waited for; `look` may
 * tell how far it is through its argument.
 */
export const until = async <T>(
  world: World,
  saying: string,
  withinMs: number,
  look: (tell: (state: string) => void) => Promise<T | undefined>,
): Promise<T> => {
  const deadlineMs = world.clock.now() + withinMs;
  let state = '';
  for (;;) {
    const found = await look(text => {
      state = text;
    });
    if (found !== undefined) return found;
    world.screen.status(state === '' ? saying : `${saying}: ${state}`);
    if (world.clock.now() > deadlineMs) {
      throw new NotInTime(`${saying}: not within ${withinMs / 1000} s${state === '' ? '' : ` (${state})`}`);
    }
    await pause(world, pollMs);
  }
};

const listOf = async <T extends KubeObject>(world: World, kind: Kind<T>, inNamespace = true): Promise<readonly T[]> =>
  (await world.client.list(kind, inNamespace ? { namespace } : {})).items;

export const nodesOf = (world: World): Promise<readonly Node[]> => listOf(world, nodeKind, false);
export const podsOf = (world: World): Promise<readonly Pod[]> => listOf(world, podKind);
export const podOf = (world: World, name: string): Promise<Pod> => world.client.get(podKind, { namespace, name });

/** The newest message of the events of that reason about a pod, or nothing yet. */
export const eventMessage = async (world: World, pod: string, reason: string): Promise<string> => {
  const events = await listOf<Event>(world, eventKind);
  return events.filter(event => event.involvedObject?.name === pod && event.reason === reason).at(-1)?.message ?? '';
};

export const isReady = (node: Node): boolean =>
  node.status?.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True') === true;
