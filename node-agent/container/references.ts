/**
 * The ConfigMaps and Secrets that pods on this node refer to, and no others: each is watched while a pod needs it, so
 * the agent holds no more secrets than its pods do, and volumes follow changes at once.
 */

import type { Kind } from '#api/kind.ts';
import type { ConfigMap, Pod, Secret } from '#api/kinds/core.ts';
import { configMapKind, secretKind } from '#api/kinds/core.ts';
import type { KubeObject } from '#api/object.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { createStop, type Stop } from '#base/stop.ts';
import type { Client } from '#client/client.ts';
import { Informer } from '#client/informer.ts';
import type { References } from './env.ts';

interface Watched {
  readonly informer: Informer<ConfigMap> | Informer<Secret>;
  readonly stop: Stop;
  /** uid of each pod that refers to it. */
  readonly users: Set<string>;
}

/** Names of the objects that a pod refers to, as `configmaps/name` and `secrets/name`. */
export const referencesOf = (pod: Pod): ReadonlySet<string> => {
  const found = new Set<string>();
  const configMap = (name: string | undefined) => name && found.add(`configmaps/${name}`);
  const secret = (name: string | undefined) => name && found.add(`secrets/${name}`);
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    for (const source of container.envFrom ?? []) {
      configMap(source.configMapRef?.name);
      secret(source.secretRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      configMap(valueFrom?.configMapKeyRef?.name);
      secret(valueFrom?.secretKeyRef?.name);
    }
  }
  for (const volume of pod.spec.volumes ?? []) {
    configMap(volume.configMap?.name);
    secret(volume.secret?.secretName);
    for (const source of volume.projected?.sources ?? []) {
      configMap(source.configMap?.name);
      secret(source.secret?.name);
    }
  }
  return found;
};

export interface ReferenceDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with the uids of pods for which something they refer to has changed. */
  changed(uids: readonly string[]): void;
}

export class ReferenceStore {
  readonly #deps: ReferenceDeps;
  readonly #watched = new Map<string, Watched>();
  readonly #runs = new Set<Promise<void>>();

  constructor(deps: ReferenceDeps) {
    this.#deps = deps;
  }

  /** Starts to watch what the pod refers to; resolves when all of it is known. */
  async hold(pod: Pod): Promise<void> {
    const uid = pod.metadata.uid ?? '';
    const waits: Promise<void>[] = [];
    for (const reference of referencesOf(pod)) {
      const [plural = '', name = ''] = reference.split('/');
      const key = `${plural}/${pod.metadata.namespace}/${name}`;
      const watched = this.#watched.get(key) ?? this.#watch(key, plural, pod.metadata.namespace ?? '', name);
      watched.users.add(uid);
      waits.push(watched.informer.whenSynced());
    }
    await Promise.all(waits);
  }

  /** The pod is gone: what only it referred to is no longer watched. */
  release(uid: string): void {
    for (const [key, watched] of this.#watched) {
      if (!watched.users.delete(uid) || watched.users.size > 0) continue;
      watched.stop.stop();
      this.#watched.delete(key);
    }
  }

  /** The objects of one namespace, by name. */
  in(namespace: string): References {
    const get = <T extends KubeObject>(plural: string, name: string): T | undefined =>
      this.#watched.get(`${plural}/${namespace}/${name}`)?.informer.get(`${namespace}/${name}`) as T | undefined;
    return { configMap: name => get<ConfigMap>('configmaps', name), secret: name => get<Secret>('secrets', name) };
  }

  async stop(): Promise<void> {
    for (const { stop } of this.#watched.values()) stop.stop();
    this.#watched.clear();
    await Promise.all(this.#runs);
  }

  #watch(key: string, plural: string, namespace: string, name: string): Watched {
    const { client, clock, log } = this.#deps;
    const stop = createStop();
    const users = new Set<string>();
    const watch = <T extends KubeObject>(kind: Kind<T>) => {
      const informer = new Informer({ client, kind, clock, log, namespace, fieldSelector: `metadata.name=${name}` });
      informer.subscribe(() => this.#deps.changed([...users]));
      const run = informer.run(stop.signal).finally(() => this.#runs.delete(run));
      this.#runs.add(run);
      return informer;
    };
    const informer = plural === 'secrets' ? watch(secretKind) : watch(configMapKind);
    const watched: Watched = { informer, stop, users };
    this.#watched.set(key, watched);
    return watched;
  }
}
