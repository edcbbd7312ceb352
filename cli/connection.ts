/** Which cluster a command means: the context `berth` of the kubeconfig, unless --context or $BERTH_CONTEXT name another. */
import { type Connection, type Location, loadConnection } from '#client/kubeconfig.ts';
import { KubeconfigError } from '#client/kubeconfig-edit.ts';
import type { ClusterFlags } from './command.ts';
import { CliError } from './failure.ts';
import type { Io } from './io.ts';

export const contextName = (io: Io, flags: ClusterFlags): string =>
  flags.context ?? (io.env['BERTH_CONTEXT'] || 'berth');

export const kubeconfigLocation = (io: Io, flags: ClusterFlags): Location => ({
  env: io.env,
  ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
});

/** The connection of the context; throws CliError saying what to do when there is none. */
export const findConnection = async (io: Io, flags: ClusterFlags): Promise<Connection> => {
  const context = contextName(io, flags);
  const choice = { context, ...(flags.namespace ? { namespace: flags.namespace } : {}) };
  try {
    return await loadConnection(kubeconfigLocation(io, flags), choice);
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error;
    const hint = '`berth up` starts a cluster here and writes its context; --context names another one.';
    throw new CliError(`${error.message}\n${hint}`);
  }
};
