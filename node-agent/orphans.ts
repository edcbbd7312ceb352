/**
 * Removes what carries this agent's labels (or lies in its directories and cgroups) and belongs to no pod any more:
 * pods that were deleted while the agent was away, halves of pods that a killed agent left. Pods that have a worker
 * are never touched.
 */
import type { Signal } from '#base/clock.ts';
import { nodePath } from './container/cgroup-plan.ts';
import { label, ownerLabels } from './names.ts';
import { cleanPod } from './pod/pod-cleanup.ts';
import type { PodDeps } from './pod/pod-deps.ts';
import { isFault } from './runtime.ts';

const sweepEveryMs = 30_000;
/** What an orphan's processes get between the signal to end and their removal. */
const graceMs = 2000;

export class OrphanSweeper {
  readonly #deps: PodDeps;
  readonly #living: () => ReadonlySet<string>;

  /** `living`: uids of pods that are looked after. */
  constructor(deps: PodDeps, living: () => ReadonlySet<string>) {
    this.#deps = deps;
    this.#living = living;
  }

  /** Sweeps now and then until `signal` aborts. */
  async run(signal: Signal): Promise<void> {
    const { clock, log, observer } = this.#deps;
    while (!signal.aborted) {
      try {
        if (observer.fault === undefined) await this.sweep(signal);
      } catch (error) {
        if (!isFault(error, 'unavailable')) log.warn({ err: error }, 'sweeping orphans failed');
      }
      await clock.sleep(sweepEveryMs, signal);
    }
  }

  async sweep(signal: Signal): Promise<void> {
    const { observer, machine, dataDir, owner, enforcesCgroups } = this.#deps;
    const isOrphan = (uid: string) => !this.#living().has(uid);
    await Promise.all(
      observer
        .podUids()
        .filter(isOrphan)
        .map(uid => this.#end(uid, signal)),
    );
    const directories = await machine.files.list(`${dataDir}/pods`);
    const groups = enforcesCgroups ? await machine.cgroups.children(nodePath(owner)) : [];
    const left = new Set([...directories, ...groups]);
    for (const uid of left)
      if (isOrphan(uid) && !observer.podUids().includes(uid))
        await cleanPod(this.#deps, uid, { containers: true, volumes: false });
    await this.#removeVolumes(isOrphan);
  }

  /** All that is this agent's, at once: for an agent that is taken down. */
  async removeAll(): Promise<void> {
    const { runtime, owner, machine, enforcesCgroups, observer, dataDir } = this.#deps;
    const found = await runtime.list(ownerLabels(owner));
    await Promise.all(found.map(seen => this.#deps.starts.run(() => runtime.remove(seen.id))));
    for (const { id } of found) observer.removed(id);
    await this.#removeVolumes(() => true);
    const uids = new Set(found.map(seen => seen.labels[label.podUid] ?? ''));
    if (enforcesCgroups) {
      for (const uid of [...uids, ...(await machine.cgroups.children(nodePath(owner)))])
        await cleanPod(this.#deps, uid, { containers: false, volumes: false });
      await machine.cgroups.prune(nodePath(owner));
    }
    await machine.files.remove(`${dataDir}/pods`);
  }

  async #end(uid: string, signal: Signal): Promise<void> {
    const { observer, runtime, clock } = this.#deps;
    const { containers, sandboxes } = observer.pod(uid);
    const all = [...containers.values()].flat();
    const running = all.filter(seen => seen.phase === 'running');
    this.#deps.log.info({ uid, containers: all.length + sandboxes.length }, 'removing a pod that is no longer wanted');
    await Promise.all(running.map(seen => runtime.signal(seen.id, seen.stopSignal)));
    const deadlineMs = clock.now() + graceMs;
    const isAlive = () => [...observer.pod(uid).containers.values()].flat().some(seen => seen.phase === 'running');
    while (isAlive() && clock.now() < deadlineMs && !signal.aborted) await clock.sleep(50, signal);
    await cleanPod(this.#deps, uid, { containers: true, volumes: false });
  }

  async #removeVolumes(isOrphan: (uid: string) => boolean): Promise<void> {
    const { runtime, owner } = this.#deps;
    for (const name of await runtime.volumes(ownerLabels(owner))) {
      const uid = /^berth_([^_]+)_/.exec(name)?.[1];
      if (uid !== undefined && isOrphan(uid)) await runtime.removeVolume(name);
    }
  }
}
