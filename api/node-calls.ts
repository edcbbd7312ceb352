/**
 * What the API server can ask the agent of a node: usage, logs, exec, attach. An embedded agent is called directly;
 * a remote one over the links it opens to the server (agents listen on no port). Frames are those of the
 * `v5.channel.k8s.io` WebSocket protocol (byte 0 = channel; KUBECTL-WIRE §4.2), so the server passes them on unread.
 */
import type { Signal } from '#base/clock.ts';

export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  /** RFC 3339. */
  readonly sinceTime?: string;
  readonly limitBytes?: number;
  /** `Stdout` or `Stderr` alone; absent: both. */
  readonly stream?: 'Stdout' | 'Stderr';
}

export interface SessionRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface ExecRequest extends SessionRequest {
  readonly command: readonly string[];
}

/** One interactive session, seen from the agent. */
export interface StreamSession {
  /** Sends one frame to the client; resolves when the next may be sent (back-pressure). */
  send(frame: Uint8Array): Promise<void>;
  /** Frames from the client; ends when the client is gone. */
  readonly frames: AsyncIterable<Uint8Array>;
  /** Aborts when the client is gone. */
  readonly signal: Signal;
}

/** Usage of one container over a window of two samples (SEMANTICS J). */
export interface ContainerUsage {
  readonly name: string;
  readonly cpuNanoCores: number;
  readonly memoryWorkingSetBytes: number;
  readonly counters?: ContainerCounters;
}

/** What a container of that name has counted over all its attempts, from when its agent first saw the pod. */
export interface ContainerCounters {
  /** Processes killed for want of memory. */
  readonly oomKills: number;
  /** CFS periods of its CPU limit in which it ran, those of them that it was throttled in, and for how long in all. */
  readonly cfsPeriods: number;
  readonly cfsThrottledPeriods: number;
  readonly cfsThrottledNanos: number;
}

export interface PodUsage {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** End of the window, RFC 3339. */
  readonly timestamp: string;
  readonly windowMs: number;
  readonly containers: readonly ContainerUsage[];
}

export interface NodeUsage {
  readonly node: string;
  readonly timestamp: string;
  readonly windowMs: number;
  readonly cpuNanoCores: number;
  readonly memoryWorkingSetBytes: number;
  /** Only pods of which every running container has a pair of samples. */
  readonly pods: readonly PodUsage[];
}

export interface NodeHandler {
  /** Present usage, or undefined while there is no pair of samples yet. */
  usage(): Promise<NodeUsage | undefined>;
  /** Sends log bytes until the end (or for ever with follow) or until `signal` aborts; throws ApiError when there are none. */
  logs(request: LogRequest, send: (chunk: Uint8Array) => Promise<void>, signal: Signal): Promise<void>;
  /** Runs a command in a running container; resolves after the status frame (channel 3) was sent. */
  exec(request: ExecRequest, session: StreamSession): Promise<void>;
  /** Joins the main process's streams; resolves after the status frame was sent. */
  attach(request: SessionRequest, session: StreamSession): Promise<void>;
}
