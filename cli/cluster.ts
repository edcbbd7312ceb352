/** What every command that talks to a cluster needs: the connection of the context, the namespace, and discovery. */
import { type Api, createApi } from './api.ts';
import type { ClusterFlags } from './command.ts';
import { findConnection } from './connection.ts';
import { discover, type Resource } from './discovery.ts';
import type { Io } from './io.ts';

export interface Cluster {
  readonly api: Api;
  readonly io: Io;
  readonly namespace: string;
  /** True when the command line said which namespace. */
  readonly namespaceGiven: boolean;
  readonly context: string;
  /** Discovery, read once. */
  resources(): Promise<readonly Resource[]>;
}

/** Runs `work` with the cluster that the flags name, and closes the connection after it. */
export const withCluster = async <T>(
  io: Io,
  flags: ClusterFlags,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> => {
  const found = await findConnection(io, flags);
  const api = createApi(found, {
    onWarning: text => io.err(`Warning: ${text}\n`),
    clock: io.clock,
    signal: io.signal,
    timeoutMs: flags.requestTimeout ?? 0,
  });
  let resources: Promise<readonly Resource[]> | undefined;
  const cluster: Cluster = {
    api,
    io,
    namespace: found.namespace,
    namespaceGiven: Boolean(flags.namespace),
    context: found.context,
    resources: () => {
      resources ??= discover(api);
      return resources;
    },
  };
  try {
    return await work(cluster);
  } finally {
    api.close();
  }
};
