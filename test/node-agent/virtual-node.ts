/** A node in virtual time: an agent over a fake engine, a fake machine and a fake cluster API. */
import { Agent, type AgentParts } from '#agent/agent.ts';
import { pauseImage } from '#agent/container/pause-image.ts';
import { defaultPolicy } from '#agent/pod/pod-plan.ts';
import { agentTimings } from '#agent/timings.ts';
import { type Event, eventKind } from '#api/kinds/core.ts';
import type { VirtualClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { FakeClient } from '#test/client/fake-client.ts';
import { type FakeMachine, fakeMachine } from '#test/node-agent/fake-machine.ts';
import { FakeRuntime, type Program } from '#test/node-agent/fake-runtime.ts';
import { type Life, mortal } from '#test/node-agent/mortal.ts';
import { virtualClock } from '#test/virtual.ts';

export interface World {
  readonly clock: VirtualClock;
  readonly client: FakeClient;
  readonly runtime: FakeRuntime;
  readonly machine: FakeMachine;
  agent: Agent;
  /** `between`: what happens while no agent runs. */
  restart(between?: () => Promise<void>): Promise<void>;
  /** kill -9 of the agent, and a new one. */
  crash(): Promise<void>;
  /** How long each way of a call to the engine takes. */
  engineDelayMs: () => number;
  /** Events about the object of that name, oldest first: `Warning BackOff x3: …`. */
  events(name: string): readonly string[];
}

type Surroundings = Pick<AgentParts, 'clock' | 'client' | 'runtime' | 'machine' | 'info' | 'host'>;

const agentOf = (surroundings: Surroundings, more: Partial<AgentParts>): Agent =>
  new Agent({
    ...surroundings,
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
  const info = await runtime.info();
  const host = await base.machine.facts();
  let life: Life = { isOver: false };
  /** What the agent of this life has of the world. */
  const lived = () => {
    const own = life;
    const travel = async () => {
      const delayMs = world.engineDelayMs();
      if (delayMs > 0) await clock.sleep(delayMs);
    };
    const machine = {
      ...base.machine,
      files: mortal(base.machine.files, own, { sync: ['decodeBase64', 'decodeText'] }),
    };
    return { clock, info, host, client: mortal(client, own), runtime: mortal(runtime, own, { travel }), machine };
  };
  const world: World = {
    ...base,
    engineDelayMs: () => 0,
    agent: undefined as never,
    restart: async (between = async () => {}) => {
      await stopped(clock, world.agent);
      await between();
      world.agent = agentOf(lived(), more);
      await begun(clock, world.agent);
    },
    crash: async () => {
      life.isOver = true;
      life = { isOver: false };
      world.agent = agentOf(lived(), more);
      await begun(clock, world.agent);
    },
    events: name =>
      client
        .all<Event>(eventKind)
        .filter(event => event.involvedObject?.name === name)
        .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
        .map(({ type, reason, count = 1, message }) => `${type} ${reason}${count > 1 ? ` x${count}` : ''}: ${message}`),
  };
  world.agent = agentOf(lived(), more);
  await begun(clock, world.agent);
  return world;
};
