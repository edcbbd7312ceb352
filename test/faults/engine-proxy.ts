/**
 * A socket in front of the machine's Docker Engine, so that a test can let "the engine" be absent, die, hang, be slow and come
 * back, while the real one, which others use, lives on.
 */
import { existsSync, rmSync } from 'node:fs';
import net from 'node:net';

/** The machine's engine: the one that DOCKER_HOST names by its socket, else the usual one. */
export const engineSocket = /^unix:\/\/(.+)$/.exec(process.env['DOCKER_HOST'] ?? '')?.[1] ?? '/var/run/docker.sock';

export interface EngineProxy {
  readonly socket: string;
  /** As DOCKER_HOST is written. */
  readonly address: string;
  /** Nothing listens any more and every connection breaks: the engine has died. */
  die(): Promise<void>;
  /** It listens again. */
  live(): Promise<void>;
  /** Connections are taken and nothing is answered, also on those that are open, until `live`: the engine hangs. */
  hang(): void;
  /** Whatever goes to the engine gets there that much later; 0: at once. */
  slow(delayMs: number): void;
  close(): Promise<void>;
}

/** `alive` false: nothing listens there before `live` is called. */
export const openEngineProxy = async (socket: string, alive = true): Promise<EngineProxy> => {
  const open = new Set<net.Socket>();
  let server: net.Server | undefined;
  let delayMs = 0;
  let isHung = false;
  const pass = (from: net.Socket, to: net.Socket, isDelayed: boolean): void => {
    from.on('data', chunk => {
      if (!isDelayed || delayMs === 0) to.write(chunk);
      else setTimeout(() => to.destroyed || to.write(chunk), delayMs);
    });
    if (isHung) from.pause();
    from.on('end', () => (isDelayed && delayMs > 0 ? setTimeout(() => to.end(), delayMs) : to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      open.delete(from);
      to.destroy();
    });
    open.add(from);
  };
  const live = async (): Promise<void> => {
    isHung = false;
    for (const each of open) each.resume();
    if (server) return;
    if (existsSync(socket)) rmSync(socket);
    server = net.createServer({ allowHalfOpen: true }, client => {
      const engine = net.connect({ path: engineSocket, allowHalfOpen: true });
      pass(client, engine, true);
      pass(engine, client, false);
    });
    await new Promise<void>((resolve, reject) => server!.on('error', reject).listen(socket, resolve));
  };
  const die = async (): Promise<void> => {
    const dying = server;
    server = undefined;
    for (const each of open) each.destroy();
    if (dying) await new Promise(resolve => dying.close(resolve));
  };
  if (alive) await live();
  return {
    socket,
    address: `unix://${socket}`,
    live,
    die,
    hang: () => {
      isHung = true;
      for (const each of open) each.pause();
    },
    slow: ms => {
      delayMs = ms;
    },
    close: die,
  };
};
