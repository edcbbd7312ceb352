/** What a probe or a lifecycle hook does once: a command in the container, an HTTP request, a TCP connection, a wait. */
import type { Container, LifecycleHandler, Pod, Probe } from '#api/kinds/core.ts';
import type { Clock, Signal } from '#base/clock.ts';
import type { Machine } from '../machine.ts';
import type { ContainerRuntime, ExecStreams } from '../runtime.ts';

export interface HookDeps {
  readonly runtime: ContainerRuntime;
  readonly machine: Machine;
  readonly clock: Clock;
}

export interface HookTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly id: string;
  readonly podIP: string;
  readonly timeoutMs: number;
}

/** `errored`: it could not be carried out, which says nothing about the container. */
export interface HookResult {
  readonly result: 'success' | 'failure' | 'errored';
  readonly output: string;
}

const noAddress = 'the pod has no address';
const maxOutput = 10 * 1024;

/** Runs the handler of a hook or a probe; never throws for what the container does. */
export const runHandler = async (
  deps: HookDeps,
  handler: LifecycleHandler | Probe,
  target: HookTarget,
  signal: Signal,
): Promise<HookResult> => {
  const { exec, httpGet, tcpSocket } = handler;
  const sleep = 'sleep' in handler ? handler.sleep : undefined;
  if (exec) return runCommand(deps, exec.command ?? [], target, signal);
  if (httpGet) return getOnce(deps, httpGet, target);
  if (tcpSocket) {
    const port = portOf(target.container, tcpSocket.port);
    if (port === undefined) return errored(`couldn't find port: ${tcpSocket.port}`);
    const host = tcpSocket.host || target.podIP;
    // An empty name would be taken for this machine itself.
    if (host === '') return { result: 'failure', output: noAddress };
    const fault = await deps.machine.connect(host, port, target.timeoutMs);
    return fault === undefined ? { result: 'success', output: '' } : { result: 'failure', output: fault };
  }
  if (sleep) {
    await deps.clock.sleep(Math.min(sleep.seconds * 1000, target.timeoutMs), signal);
    return { result: 'success', output: '' };
  }
  return errored('gRPC probes are not supported by Berth');
};

const errored = (output: string): HookResult => ({ result: 'errored', output });

/** A port by number or by the name of a container port. */
const portOf = (container: Container, port: number | string): number | undefined => {
  if (typeof port === 'number') return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  return named ?? (/^\d+$/.test(port) ? Number(port) : undefined);
};

type HttpGetAction = NonNullable<Probe['httpGet']>;

const getOnce = async (deps: HookDeps, action: HttpGetAction, target: HookTarget): Promise<HookResult> => {
  const port = portOf(target.container, action.port);
  if (port === undefined) return errored(`couldn't find port: ${action.port}`);
  const host = action.host || target.podIP;
  if (host === '') return { result: 'failure', output: noAddress };
  const { status, error } = await deps.machine.httpGet({
    scheme: action.scheme === 'HTTPS' ? 'HTTPS' : 'HTTP',
    host,
    port,
    path: action.path || '/',
    headers: action.httpHeaders ?? [],
    timeoutMs: target.timeoutMs,
  });
  if (error !== undefined) return { result: 'failure', output: error };
  if (status >= 200 && status < 400) return { result: 'success', output: '' };
  return { result: 'failure', output: `HTTP probe failed with statuscode: ${status}` };
};

const runCommand = async (
  deps: HookDeps,
  command: readonly string[],
  target: HookTarget,
  signal: Signal,
): Promise<HookResult> => {
  let streams: ExecStreams;
  try {
    streams = await deps.runtime.exec(target.id, { command, tty: false, stdin: false, stdout: true, stderr: true });
  } catch (error) {
    return errored((error as Error).message);
  }
  let timedOut = false;
  const stop = () => streams.close();
  const cancel = deps.clock.after(target.timeoutMs, () => {
    timedOut = true;
    stop();
  });
  signal.addEventListener('abort', stop, { once: true });
  try {
    let output = '';
    for await (const { bytes } of streams.output)
      if (output.length < maxOutput) output += deps.machine.files.decodeText(bytes);
    const words = JSON.stringify(command.join(' '));
    if (timedOut)
      return { result: 'failure', output: `command timed out: ${words} timed out after ${target.timeoutMs / 1000}s` };
    if (signal.aborted) return errored('aborted');
    const code = await streams.exitCode();
    return { result: code === 0 ? 'success' : 'failure', output };
  } catch (error) {
    return errored((error as Error).message);
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
    streams.close();
  }
};
