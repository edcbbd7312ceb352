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
import { type Engine, ensureEngine } from '#setup/engine.ts';
import type { EngineApi } from '#setup/engine-api.ts';
import { imageSets } from '#setup/image-recipes.ts';
import { ensureImages, type PreparedImages } from '#setup/images.ts';
import { clusterIdIn, dataFolderIn, kubeconfigIn, runBerth, startBerthUp, stopBerthUp } from './berth-up.ts';
import { isEmpty, leftoversOf, removeEmptyRoot, sweep } from './leftovers.ts';
import type { Screen } from './screen.ts';
import { stories } from './stories.ts';
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
  folder?: string;
  client?: HttpClient;
}

/** True when every story held. Interrupted and failures pass through, after the clean-up. */
export const runDemo = async (options: DemoOptions): Promise<boolean> => {
  const stage: Stage = {};
  let kept = false;
  try {
    const world = await setUp(stage, options);
    await showPlacement(world, stage.folder ?? '');
    const held = await tellStories(world);
    if (options.keep) {
      kept = true;
      sayHowToGoOn(options.screen, stage.folder ?? '');
    }
    return held;
  } finally {
    if (!kept) await cleanUp(stage, options.screen);
    else await stage.client?.close();
  }
};

const setUp = async (stage: Stage, options: DemoOptions): Promise<World> => {
  const { screen, clock, signal } = options;
  const startMs = clock.now();
  const progress = { begin: (text: string) => screen.step(text), done: (text: string) => screen.good(text) };
  screen.title('Set-up');
  stage.engine = await ensureEngine(progress);
  stopWhenAsked(signal);
  stage.images = await ensureImages(stage.engine.api, imageSets.demo, progress);
  stopWhenAsked(signal);
  screen.good(`set up in ${((clock.now() - startMs) / 1000).toFixed(1)} s`);

  screen.title('A cluster: three slices of this machine');
  stage.folder = mkdtempSync(join(tmpdir(), 'berth-demo-'));
  screen.command(`berth up ${slices.map(slice => `--node ${slice}`).join(' ')}`);
  const upMs = clock.now();
  const up = await startBerthUp({ folder: stage.folder, nodes: slices });
  stopWhenAsked(signal);
  for (const line of up.said.split('\n\n')[0]!.split('\n')) screen.line(line);
  stage.client = createHttpClient(await loadConnection({ kubeconfig: up.kubeconfig, env: process.env }));
  const world = { client: stage.client, engine: stage.engine.api, clock, signal, screen };
  await until(world, 'the nodes are ready', 60_000, async tell => {
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
const berth = async (screen: Screen, folder: string, args: readonly string[]): Promise<void> => {
  screen.command(`berth ${args.map(arg => (arg === manifests ? 'manifests/' : arg)).join(' ')}`);
  const result = await runBerth(folder, args);
  for (const line of `${result.stdout}${result.stderr}`.trimEnd().split('\n')) screen.line(line);
  if (result.code !== 0) throw new Error(`berth ${args[0]} ended with exit code ${result.code}`);
};

const showPlacement = async (world: World, folder: string): Promise<void> => {
  const { screen } = world;
  // For the examples of placement: one node has a fast disk.
  const label = { metadata: { labels: { disktype: 'ssd' } } };
  await world.client.patch(
    nodeKind,
    { name: 'demo-b' },
    { type: 'merge', body: label },
    { fieldManager: 'berth-demo' },
  );
  await berth(screen, folder, ['get', 'nodes']);
  screen.title('Pods from ordinary manifests');
  const startMs = world.clock.now();
  await berth(screen, folder, ['apply', '-f', manifests]);
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
  await berth(screen, folder, ['get', 'pods', '-o', 'wide']);
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

const sayHowToGoOn = (screen: Screen, folder: string): void => {
  screen.title('Kept');
  screen.line('The cluster goes on running. To go on with it:');
  screen.command(`export KUBECONFIG=${kubeconfigIn(folder)}`);
  screen.command('kubectl get pods -o wide        (or: npx berth get pods -o wide)');
  screen.line('To end it, with its containers and data:');
  screen.command(`npx berth down --purge --data ${dataFolderIn(folder)} --kubeconfig ${kubeconfigIn(folder)}`);
};

/** Takes down in reverse what was put up. Every step is tried, also when one before it fails. */
const cleanUp = async (stage: Stage, screen: Screen): Promise<void> => {
  screen.title('Cleaning up');
  const faults: string[] = [];
  const attempt = async (work: () => Promise<void> | undefined): Promise<void> => {
    try {
      await work();
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error));
    }
  };
  const { folder } = stage;
  await attempt(() => stage.client?.close());
  if (folder !== undefined) {
    screen.status('berth down');
    const cluster = clusterIdIn(folder);
    await attempt(() => stopBerthUp(folder));
    if (cluster !== undefined && stage.engine) await attempt(() => checkNothingIsLeft(stage.engine!.api, cluster));
    await attempt(async () => rmSync(folder, { recursive: true, force: true }));
  }
  await attempt(() => stage.images?.release());
  await attempt(() => stage.engine?.stop());
  if (faults.length > 0) throw new Error(`clean-up: ${faults.join('; ')}`);
  screen.good('nothing left behind: no container, network, volume, cgroup, context or file');
};

const checkNothingIsLeft = async (engine: EngineApi, cluster: string): Promise<void> => {
  const found = await leftoversOf(engine, cluster);
  removeEmptyRoot();
  if (isEmpty(found)) return;
  await sweep(engine, cluster, found);
  const counts = Object.entries(found).map(([what, ids]) => `${ids.length} ${what}`);
  throw new Error(`berth down left ${counts.join(', ')}; they were removed now`);
};
