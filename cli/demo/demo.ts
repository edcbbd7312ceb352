/**
 * The demo from set-up to clean-up: a cluster of three slices of this machine's engine, the manifests of this repository,
 * six stories with real figures, and nothing left behind whatever happens in between.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeKind } from '#api/kinds/core.ts';
import type { Clock } from '#base/clock.ts';
import { createHttpClient, type HttpClient } from '#client/http.ts';
import { loadConnection } from '#client/kubeconfig.ts';
import { runCommand } from '#setup/command.ts';
import { type Engine, ensureEngine } from '#setup/engine.ts';
import { ensureImages, type PreparedImages } from '#setup/images.ts';
import { type BerthUp, startBerthUp } from './berth-up.ts';
import { isEmpty, leftoversOf, sweep } from './leftovers.ts';
import type { Screen } from './screen.ts';
import { clustersOf, stories } from './stories.ts';
import { Interrupted, isReady, nodesOf, podsOf, until, type World } from './world.ts';

export interface DemoOptions {
  readonly keep: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly screen: Screen;
}

/** Names of their own, so that they are not taken for a cluster of the user's. */
const slices = ['demo-a=cpu:1,memory:1Gi', 'demo-b=cpu:500m,memory:512Mi', 'demo-c=cpu:500m,memory:512Mi'];

const root = join(import.meta.dirname, '..', '..');
const manifests = join(root, 'manifests');

/** What has been put up so far and must be taken down again, in reverse. */
interface Stage {
  engine?: Engine;
  images?: PreparedImages;
  up?: BerthUp;
  client?: HttpClient;
  folder?: string;
  clusters: ReadonlySet<string>;
}

/** True when every story held. Interrupted and failures pass through, after the clean-up. */
export const runDemo = async (options: DemoOptions): Promise<boolean> => {
  const stage: Stage = { clusters: new Set() };
  let kept = false;
  try {
    const world = await setUp(stage, options);
    await showPlacement(world, stage);
    const held = await tellStories(world);
    stage.clusters = await clustersOf(world);
    if (options.keep) {
      kept = true;
      sayHowToGoOn(options.screen, stage);
    }
    return held;
  } finally {
    if (!kept) await cleanUp(stage, options);
    else await stage.client?.close();
  }
};

const setUp = async (stage: Stage, options: DemoOptions): Promise<World> => {
  const { screen, clock, signal } = options;
  const startMs = clock.now();
  const progress = { begin: (text: string) => screen.status(text), done: (text: string) => screen.good(text) };
  screen.title('Set-up');
  stage.engine = await ensureEngine(progress);
  stopWhenAsked(signal);
  stage.images = await ensureImages(stage.engine.api, 'demo', progress);
  stopWhenAsked(signal);
  screen.good(`set up in ${((clock.now() - startMs) / 1000).toFixed(1)} s`);

  screen.title('A cluster: three slices of this machine');
  stage.folder = mkdtempSync(join(tmpdir(), 'berth-demo-'));
  screen.command(`berth up ${slices.map(slice => `--node ${slice}`).join(' ')}`);
  const upMs = clock.now();
  stage.up = await startBerthUp({ folder: stage.folder, nodes: slices, clock });
  stage.client = createHttpClient(await loadConnection({ kubeconfig: stage.up.kubeconfig, env: process.env }));
  const world = { client: stage.client, engine: stage.engine.api, clock, signal, screen };
  await until(world, 'the nodes are ready', 60_000, async tell => {
    if (stage.up?.running() === false) throw new Error(`berth up has ended; its log: ${stage.up.logFile}`);
    const nodes = await nodesOf(world);
    tell(`${nodes.filter(isReady).length} of ${slices.length}`);
    return nodes.length === slices.length && nodes.every(isReady) ? true : undefined;
  });
  screen.good(`API server, scheduler and three node agents ready after ${((clock.now() - upMs) / 1000).toFixed(2)} s`);
  return world;
};

const stopWhenAsked = (signal: AbortSignal): void => {
  if (signal.aborted) throw new Interrupted('interrupted');
};

/** A command of our CLI against the demo's cluster; its output is shown as it is. */
const berth = async (screen: Screen, up: BerthUp, args: readonly string[]): Promise<void> => {
  screen.command(`berth ${args.map(arg => (arg === manifests ? 'manifests/' : arg)).join(' ')}`);
  const result = await runCommand(process.execPath, [join(root, 'cli', 'bin.js'), ...args], {
    env: { KUBECONFIG: up.kubeconfig },
  });
  for (const line of `${result.stdout}${result.stderr}`.trimEnd().split('\n')) screen.line(line);
  if (result.code !== 0) throw new Error(`berth ${args[0]} ended with exit code ${result.code}`);
};

const showPlacement = async (world: World, stage: Stage): Promise<void> => {
  const { screen } = world;
  const up = stage.up!;
  // For the examples of placement: one node has a fast disk.
  const label = { metadata: { labels: { disktype: 'ssd' } } };
  await world.client.patch(
    nodeKind,
    { name: 'demo-b' },
    { type: 'merge', body: label },
    { fieldManager: 'berth-demo' },
  );
  await berth(screen, up, ['get', 'nodes']);
  screen.title('Pods from ordinary manifests');
  const startMs = world.clock.now();
  await berth(screen, up, ['apply', '-f', manifests]);
  // Two never run for good, and that is their story.
  const special = new Set(['too-big', 'oom']);
  await until(world, 'pods start', 60_000, async tell => {
    const pods = (await podsOf(world)).filter(pod => !special.has(pod.metadata.name));
    const ready = pods.filter(pod =>
      pod.status?.conditions?.some(one => one.type === 'Ready' && one.status === 'True'),
    );
    tell(`${ready.length} of ${pods.length} ready`);
    return pods.length > 0 && ready.length === pods.length ? true : undefined;
  });
  screen.good(`all that can run are ready ${((world.clock.now() - startMs) / 1000).toFixed(1)} s after apply`);
  stage.clusters = await clustersOf(world);
  await berth(screen, up, ['get', 'pods', '-o', 'wide']);
};

const tellStories = async (world: World): Promise<boolean> => {
  const failed: string[] = [];
  for (const [i, story] of stories.entries()) {
    world.screen.title(`${i + 1}/${stories.length} ${story.title}`);
    const verdict = await story.tell(world);
    if (verdict.holds) world.screen.good(verdict.text);
    else {
      world.screen.bad(verdict.text);
      failed.push(story.title);
    }
  }
  world.screen.title('Result');
  if (failed.length === 0) world.screen.good(`all ${stories.length} stories came out as told`);
  else world.screen.bad(`${failed.length} of ${stories.length} stories did not come out: ${failed.join('; ')}`);
  return failed.length === 0;
};

const sayHowToGoOn = (screen: Screen, stage: Stage): void => {
  const up = stage.up!;
  screen.title('Kept');
  screen.line('The cluster goes on running. To go on with it:');
  screen.command(`export KUBECONFIG=${up.kubeconfig}`);
  screen.command('kubectl get pods -o wide      (or: npx berth get pods -o wide)');
  screen.line('To end it, with its containers:');
  screen.command(`KUBECONFIG=${up.kubeconfig} npx berth down --data ${up.dataFolder}`);
  screen.line(`Its log: ${up.logFile}`);
};

/** Takes down in reverse what was put up. Every step is tried, also when one before it fails. */
const cleanUp = async (stage: Stage, options: DemoOptions): Promise<void> => {
  const { screen } = options;
  screen.title('Cleaning up');
  const faults: string[] = [];
  const attempt = async (work: () => Promise<void> | undefined): Promise<void> => {
    try {
      await work();
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error));
    }
  };
  await attempt(() => stage.client?.close());
  if (stage.up) {
    const up = stage.up;
    screen.status('berth down');
    await attempt(() => bringDown(up));
    await attempt(() => up.stop());
  }
  for (const cluster of stage.clusters) await attempt(() => sweepUp(stage, cluster));
  await attempt(() => stage.images?.release());
  await attempt(() => stage.engine?.stop());
  await attempt(async () => {
    if (stage.folder) rmSync(stage.folder, { recursive: true, force: true });
  });
  if (faults.length > 0) throw new Error(`clean-up: ${faults.join('; ')}`);
  screen.good('nothing left behind: no container, network, cgroup, context or file');
};

/** `berth down` removes the pods' containers; ending the process alone would leave them for a later `up` to adopt. */
const bringDown = async (up: BerthUp): Promise<void> => {
  const args = [join(root, 'cli', 'bin.js'), 'down', '--data', up.dataFolder];
  const result = await runCommand(process.execPath, args, { env: { KUBECONFIG: up.kubeconfig }, timeoutMs: 90_000 });
  if (result.code !== 0) throw new Error(`berth down: ${result.stderr.trim()}`);
};

const sweepUp = async (stage: Stage, cluster: string): Promise<void> => {
  const engine = stage.engine!.api;
  const found = await leftoversOf(engine, cluster);
  if (isEmpty(found)) return;
  await sweep(engine, cluster, found);
  const { containers, networks, cgroups } = found;
  throw new Error(
    `had to remove ${containers.length} containers, ${networks.length} networks, ${cgroups.length} cgroups that berth down left`,
  );
};
