/** A node in virtual time: an agent over a fake engine, a fake machine and a fake cluster API. */
import { Agent, type AgentParts } from '#agent/agent.ts';
import { pauseImage } from '#agent/pause-image.ts';
import { defaultPolicy } from '#agent/pod-plan.ts';
import { agentTimings } from '#agent/timings.ts';
import { type Event, eventKind } from '#api/kinds/core.ts';
import type { VirtualClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { FakeClient } from '#test/client/fake-client.ts';
import { type FakeMachine, fakeMachine } from '#test/node-agent/fake-machine.ts';
import { FakeRuntime, type Program } from '#test/node-agent/fake-runtime.ts';
import { virtualClock } from '#test/virtual.ts';

export interface World {
  readonly clock: VirtualClock;
  readonly client: FakeClient;
  readonly runtime: FakeRuntime;
  readonly machine: FakeMachine;
  agent: Agent;
  /** `between`: what happens while no agent runs. */
  restart(between?: () => Promise<void>): Promise<void>;
  /** Events about the object of that name, oldest first: `Warning BackOff x3: …`. */
  events(name: string): readonly string[];
}

const agentOf = async (
  world: Pick<World, 'clock' | 'client' | 'runtime' | 'machine'>,
  more: Partial<AgentParts>,
): Promise<Agent> => {
  const { clock, client, runtime, machine } = world;
  const info = await runtime.info();
  return new Agent({
    client,
    runtime,
    machine,
    info,
    host: await machine.facts(),
    clock,
    random: seededRandom(1),
    log: silentLog,
    owner: { cluster: 'c', node: 'n1' },
    config: {
      name: 'n1',
      share: {},
      labels: {},
      taints: [],
      reserved: {},
      maxPods: 110,
      version: 'v1',
      annotations: {},
    },
    timings: agentTimings.kubernetes,
    policy: defaultPolicy,
    dataDir: '/data',
    hostDataDir: '/data',
    network: 'bridge',
    statsSource: 'engine',
    negativeOomScore: true,
    pidsLimit: 0,
    startsAtOnce: 4,
    serviceEnv: {},
    remarks: [],
    ...more,
  });
};

const begun = async (clock: VirtualClock, agent: Agent): Promise<void> => {
  let isUp = false;
  void agent.start().then(() => {
    isUp = true;
  });
  for (let tries = 0; !isUp && tries < 1000; tries++) await clock.advance(50);
  if (!isUp) throw new Error('the agent did not come up');
};

export const stopped = async (clock: VirtualClock, agent: Agent): Promise<void> => {
  let isDown = false;
  void agent.stop().then(() => {
    isDown = true;
  });
  for (let tries = 0; !isDown && tries < 1000; tries++) await clock.advance(50);
  if (!isDown) throw new Error('the agent did not stop');
};

export type Programs = Readonly<Record<string, Program>>;

/** A node `n1` whose engine has these images, and what each of them does. `more`: parts of the agent that are to differ. */
export const newWorld = async (programs: Programs, more: Partial<AgentParts> = {}): Promise<World> => {
  const clock = virtualClock();
  const client = new FakeClient(clock);
  const images = [...Object.keys(programs), pauseImage];
  const runtime = new FakeRuntime({ clock, program: spec => programs[spec.image] ?? {} }, images);
  const base = { clock, client, runtime, machine: fakeMachine() };
  const world: World = {
    ...base,
    agent: await agentOf(base, more),
    restart: async (between = async () => {}) => {
      await stopped(clock, world.agent);
      await between();
      world.agent = await agentOf(base, more);
      await begun(clock, world.agent);
    },
    events: name =>
      client
        .all<Event>(eventKind)
        .filter(event => event.involvedObject?.name === name)
        .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
        .map(({ type, reason, count = 1, message }) => `${type} ${reason}${count > 1 ? ` x${count}` : ''}: ${message}`),
  };
  await begun(clock, world.agent);
  return world;
};
