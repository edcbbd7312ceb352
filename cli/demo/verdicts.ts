/**
 * Whether a story came out, decided from the figures that were seen: pure, so that tests can show both outcomes. Each
 * verdict says in a sentence with the figures what was found.
 */

export interface Verdict {
  readonly holds: boolean;
  readonly text: string;
}

export interface NodeLoad {
  readonly node: string;
  readonly allocatableMilli: number;
  readonly allocatableBytes: number;
  readonly requestedMilli: number;
  readonly requestedBytes: number;
}

/** Every node holds what its pods request, and the largest pod is where alone it fits. */
export const placedByRequests = (
  loads: readonly NodeLoad[],
  largest: { readonly name: string; readonly node: string; readonly requestMilli: number },
): Verdict => {
  const over = loads.find(
    load => load.requestedMilli > load.allocatableMilli || load.requestedBytes > load.allocatableBytes,
  );
  if (over) return { holds: false, text: `node ${over.node} has promised more than it has` };
  const rooms = loads.filter(load => load.allocatableMilli >= largest.requestMilli).map(load => load.node);
  const holds = rooms.includes(largest.node);
  return {
    holds,
    text: holds
      ? `no node promised more than it has; ${largest.name} asks for ${largest.requestMilli}m, so only ${rooms.join(' or ')} would do, and it is on ${largest.node}`
      : `${largest.name} asks for ${largest.requestMilli}m and is on ${largest.node || 'no node'}; it fits only ${rooms.join(', ') || 'nowhere'}`,
  };
};

export interface PendingSeen {
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly eventMessage: string;
  readonly nodes: number;
}

export const pendingWithReason = (seen: PendingSeen): Verdict => {
  const wanted = `0/${seen.nodes} nodes are available: ${seen.nodes} Insufficient cpu.`;
  const holds =
    seen.phase === 'Pending' &&
    seen.reason === 'Unschedulable' &&
    seen.message.startsWith(wanted) &&
    seen.eventMessage.startsWith(wanted);
  return {
    holds,
    text: holds
      ? `Pending, and condition and event say why: ${wanted}`
      : `phase ${seen.phase}, reason ${seen.reason || 'none'}, message ${JSON.stringify(seen.message || seen.eventMessage)}; wanted ${JSON.stringify(wanted)}`,
  };
};

export interface OomSeen {
  readonly reason: string;
  readonly exitCode: number;
  readonly restarts: number;
  readonly limitBytes: number;
}

export const killedAndRestarted = (seen: OomSeen): Verdict => {
  const holds = seen.reason === 'OOMKilled' && seen.restarts >= 1;
  const what = `last ended as ${seen.reason || 'nothing'} with exit code ${seen.exitCode}, ${seen.restarts} restart${seen.restarts === 1 ? '' : 's'}`;
  return {
    holds,
    text: holds ? `${what}; its limit is ${seen.limitBytes / 2 ** 20}Mi` : `${what}; wanted OOMKilled and a restart`,
  };
};

/** Usage of a container over a window. */
export interface Window {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledSeconds: number;
}

/** CFS keeps a limit to within a percent; the tenth is for windows that cut a period. */
export const throttledToLimit = (window: Window, limitCpus: number, restarts: number): Verdict => {
  const used = window.cpuSeconds / window.seconds;
  const near = Math.abs(used - limitCpus) <= limitCpus / 10;
  const throttled = window.periods > 0 && window.throttledPeriods / window.periods >= 0.8;
  const figures = `used ${used.toFixed(3)} CPU of its limit ${limitCpus.toFixed(3)}; held back in ${window.throttledPeriods} of ${window.periods} periods`;
  return { holds: near && throttled && restarts === 0, text: `${figures}; ${restarts} restarts` };
};

/** Under contention CPUs go by the weight of the requests; several CPUs share out to within a few percent. */
export const sharedByRequests = (
  shares: readonly { readonly name: string; readonly requestMilli: number; readonly cpuSeconds: number }[],
): Verdict => {
  const requested = shares.reduce((sum, share) => sum + share.requestMilli, 0);
  const used = shares.reduce((sum, share) => sum + share.cpuSeconds, 0);
  const parts = shares.map(share => ({
    name: share.name,
    wanted: share.requestMilli / requested,
    got: used > 0 ? share.cpuSeconds / used : 0,
  }));
  const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
  return {
    holds: used > 0 && parts.every(part => Math.abs(part.got - part.wanted) <= 0.08),
    text: parts.map(part => `${part.name} got ${percent(part.got)} (requests say ${percent(part.wanted)})`).join(', '),
  };
};

export interface QosSeen {
  readonly pod: string;
  readonly qosClass: string;
  readonly oomScoreAdj: number;
  readonly cpuShares: number;
  readonly requestMilli: number;
}

/** Weight follows the request (at least 2), and the kernel's order of victims follows the class. */
export const classedByResources = (seen: readonly QosSeen[]): Verdict => {
  const order = ['Guaranteed', 'Burstable', 'BestEffort'];
  const sorted = order.map(name => seen.find(one => one.qosClass === name));
  const missing = order.filter((_, i) => sorted[i] === undefined);
  if (missing.length > 0) return { holds: false, text: `no pod of class ${missing.join(', ')}` };
  const found = sorted as QosSeen[];
  const rising = found.every((one, i) => i === 0 || one.oomScoreAdj > found[i - 1]!.oomScoreAdj);
  const weighed = found.every(one => one.cpuShares === Math.max(2, Math.floor((one.requestMilli * 1024) / 1000)));
  return {
    holds: rising && weighed && found[2]!.oomScoreAdj === 1000,
    text: `the kernel would end them in the order ${[...found]
      .reverse()
      .map(one => `${one.qosClass} (${one.oomScoreAdj})`)
      .join(', ')}; CPU weights ${found.map(one => one.cpuShares).join(', ')}`,
  };
};
