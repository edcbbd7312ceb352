/**
 * The six stories of the demo. Each looks at one example of manifests/, shows its figures, and gives a verdict on them;
 * the demo fails if one does not hold.
 */
import type { Pod } from '#api/kinds/core.ts';
import { milliValue, wholeValue } from '#api/quantity.ts';
import { podRequests } from '#api/resources.ts';
import { measure, weightOf } from './engine-figures.ts';
import {
  classedByResources,
  killedAndRestarted,
  type NodeLoad,
  pendingWithReason,
  placedByRequests,
  type QosSeen,
  sharedByRequests,
  throttledToLimit,
  type Verdict,
  type Window,
} from './verdicts.ts';
import { eventMessage, nodesOf, pause, podOf, podsOf, until, type World } from './world.ts';

export interface Story {
  readonly title: string;
  tell(world: World): Promise<Verdict>;
}

const windowMs = 5000;
const cpuOf = (list: Readonly<Record<string, string>>): number => milliValue(list['cpu'] ?? '0');
const memoryOf = (list: Readonly<Record<string, string>>): number => wholeValue(list['memory'] ?? '0');
const mebi = (bytes: number): string => `${Math.round(bytes / 2 ** 20)}Mi`;

const placed: Story = {
  title: 'Placed by requests',
  tell: async world => {
    const [nodes, pods] = await Promise.all([nodesOf(world), podsOf(world)]);
    const loads = nodes.map(node => loadOf(node.metadata.name, node.status?.allocatable ?? {}, pods));
    world.screen.line('The scheduler promises each pod what it requests, never more than a node has:');
    world.screen.table([
      ['NODE', 'CPU PROMISED', 'MEMORY PROMISED', 'PODS'],
      ...loads.map(load => [
        load.node,
        `${load.requestedMilli}m of ${load.allocatableMilli}m`,
        `${mebi(load.requestedBytes)} of ${mebi(load.allocatableBytes)}`,
        pods
          .filter(pod => pod.spec.nodeName === load.node)
          .map(pod => pod.metadata.name)
          .join(', '),
      ]),
    ]);
    const share = await podOf(world, 'share');
    return placedByRequests(loads, {
      name: 'share',
      node: share.spec.nodeName ?? '',
      requestMilli: cpuOf(podRequests(share)),
    });
  },
};

const loadOf = (node: string, allocatable: Readonly<Record<string, string>>, pods: readonly Pod[]): NodeLoad => {
  const requests = pods.filter(pod => pod.spec.nodeName === node).map(pod => podRequests(pod));
  return {
    node,
    allocatableMilli: cpuOf(allocatable),
    allocatableBytes: memoryOf(allocatable),
    requestedMilli: requests.reduce((sum, list) => sum + cpuOf(list), 0),
    requestedBytes: requests.reduce((sum, list) => sum + memoryOf(list), 0),
  };
};

const pending: Story = {
  title: 'Pending, with its reason',
  tell: async world => {
    world.screen.line('Pod too-big asks for 200 CPUs. No node has them, so it waits, and says what it waits for:');
    const seen = await until(world, 'the event of the scheduler', 20_000, async () => {
      const pod = await podOf(world, 'too-big');
      const condition = pod.status?.conditions?.find(one => one.type === 'PodScheduled');
      const message = await eventMessage(world, 'too-big', 'FailedScheduling');
      if (!condition || message === '') return undefined;
      return {
        phase: pod.status?.phase ?? '',
        reason: condition.reason ?? '',
        message: condition.message ?? '',
        eventMessage: message,
      };
    });
    world.screen.line(`FailedScheduling: ${seen.eventMessage}`);
    return pendingWithReason({ ...seen, nodes: (await nodesOf(world)).length });
  },
};

const oom: Story = {
  title: 'OOMKilled, and restarted',
  tell: async world => {
    world.screen.line(
      'Pod oom takes 150 MB and has a memory limit of 64Mi. The kernel ends it; the agent starts it again:',
    );
    const seen = await until(world, 'a kill and a restart', 40_000, async tell => {
      const pod = await podOf(world, 'oom');
      const status = pod.status?.containerStatuses?.[0];
      const end = status?.lastState?.terminated ?? status?.state?.terminated;
      tell(`${end?.reason ?? pod.status?.phase ?? 'unknown'}, ${status?.restartCount ?? 0} restarts`);
      if (!status || !end || status.restartCount < 1) return undefined;
      const limitBytes = wholeValue(pod.spec.containers[0]?.resources?.limits?.['memory'] ?? '0');
      const now =
        status.state?.waiting?.reason ?? (status.state?.running ? 'Running' : (status.state?.terminated?.reason ?? ''));
      return { reason: end.reason ?? '', exitCode: end.exitCode, restarts: status.restartCount, limitBytes, now };
    });
    world.screen.table([
      ['NAME', 'NOW', 'LAST END', 'EXIT CODE', 'RESTARTS'],
      ['oom', seen.now, seen.reason, String(seen.exitCode), String(seen.restarts)],
    ]);
    return killedAndRestarted(seen);
  },
};

/** The running container of that name; waits for it. */
const runningContainer = (
  world: World,
  pod: string,
  container: string,
): Promise<{ readonly id: string; readonly pod: Pod }> =>
  until(world, `container ${container} of pod ${pod}`, 30_000, async () => {
    const found = await podOf(world, pod);
    const status = found.status?.containerStatuses?.find(one => one.name === container);
    const id = status?.state?.running ? status.containerID?.replace(/^[a-z]+:\/\//, '') : undefined;
    return id === undefined ? undefined : { id, pod: found };
  });

const countDown = async (world: World): Promise<void> => {
  for (let leftMs = windowMs; leftMs > 0; leftMs -= 500) {
    world.screen.status(`measuring for ${(leftMs / 1000).toFixed(1)} s`);
    await pause(world, 500);
  }
};

/** On a machine that is busy with other things a window may end before the container got even its limit. */
const windowsAtMost = 6;

const throttled: Story = {
  title: 'CPU throttled to its limit',
  tell: async world => {
    world.screen.line(
      'Pod throttle runs two busy loops and may use 100m, a tenth of one CPU. It is held back, not killed:',
    );
    const { id, pod } = await runningContainer(world, 'throttle', 'spin');
    const limit = milliValue(pod.spec.containers[0]?.resources?.limits?.['cpu'] ?? '0') / 1000;
    const rows = [['WINDOW', 'CPU USED', 'LIMIT', 'PERIODS', 'THROTTLED', 'HELD BACK FOR']];
    let verdict: Verdict = { holds: false, text: '' };
    for (let windows = 0; windows < windowsAtMost && !verdict.holds; windows++) {
      const [window] = await measure(world.engine, [id], () => countDown(world));
      const restarts = (await podOf(world, 'throttle')).status?.containerStatuses?.[0]?.restartCount ?? 0;
      verdict = throttledToLimit(window!, limit, restarts);
      const { seconds, cpuSeconds, periods, throttledPeriods, throttledSeconds } = window!;
      rows.push([
        `${seconds.toFixed(2)} s`,
        (cpuSeconds / seconds).toFixed(3),
        limit.toFixed(3),
        String(periods),
        String(throttledPeriods),
        `${throttledSeconds.toFixed(2)} s (over all CPUs)`,
      ]);
    }
    world.screen.table(rows);
    if (rows.length > 2)
      world.screen.line('(more than one window: the machine was too busy to give the container its limit)');
    return verdict;
  },
};

const shared: Story = {
  title: 'Two containers share a busy CPU by their requests',
  tell: async world => {
    world.screen.line(
      'Both containers of pod share want every CPU and have no limit. They request 150m and 450m, one to three:',
    );
    const names = ['quarter', 'three-quarters'];
    const running: { readonly id: string; readonly pod: Pod }[] = [];
    for (const name of names) running.push(await runningContainer(world, 'share', name));
    const ids = running.map(one => one.id);
    const requests = names.map(name => {
      const container = running[0]!.pod.spec.containers.find(one => one.name === name);
      return milliValue(container?.resources?.requests?.['cpu'] ?? '0');
    });
    let windows: readonly Window[] = [];
    let verdict: Verdict = { holds: false, text: '' };
    for (let tries = 0; tries < windowsAtMost && !verdict.holds; tries++) {
      windows = await measure(world.engine, ids, () => countDown(world));
      verdict = sharedByRequests(
        names.map((name, i) => ({ name, requestMilli: requests[i]!, cpuSeconds: windows[i]!.cpuSeconds })),
      );
    }
    world.screen.table([
      ['CONTAINER', 'REQUEST', 'CPU USED'],
      ...names.map((name, i) => [name, `${requests[i]}m`, (windows[i]!.cpuSeconds / windows[i]!.seconds).toFixed(3)]),
    ]);
    return verdict;
  },
};

const classes: Story = {
  title: 'The same pod as Guaranteed, Burstable, BestEffort',
  tell: async world => {
    world.screen.line(
      'Three pods that differ only in their resources; who is ended first when memory runs out, who weighs more:',
    );
    const seen: QosSeen[] = [];
    for (const name of ['qos-guaranteed', 'qos-burstable', 'qos-besteffort']) {
      const { id, pod } = await runningContainer(world, name, 'app');
      const weight = await weightOf(world.engine, id);
      seen.push({ pod: name, qosClass: pod.status?.qosClass ?? '', ...weight, requestMilli: cpuOf(podRequests(pod)) });
    }
    world.screen.table([
      ['POD', 'QOS CLASS', 'CPU REQUEST', 'CPU WEIGHT (SHARES)', 'OOM_SCORE_ADJ'],
      ...seen.map(one => [
        one.pod,
        one.qosClass,
        `${one.requestMilli}m`,
        String(one.cpuShares),
        String(one.oomScoreAdj),
      ]),
    ]);
    return classedByResources(seen);
  },
};

export const stories: readonly Story[] = [placed, pending, oom, throttled, shared, classes];
