/**
 * ContainerRuntime on the Docker Engine API 1.41 and newer. Answers are read as levels: nothing here is remembered
 * between calls but the connection, so an engine that dies and comes back is simply asked again.
 */
import type { Signal } from '#base/clock.ts';
import type {
  ContainerRuntime,
  ContainerSeen,
  ContainerSpec,
  EngineInfo,
  ExecOptions,
  ExecStreams,
  ImageFound,
  LogOptions,
  ProcessStreams,
  ResourceUpdate,
  RuntimeEvent,
  StatsSample,
  StreamOptions,
} from '../runtime.ts';
import { RuntimeError } from '../runtime.ts';
import {
  type InspectAnswer,
  pullFailure,
  type StatsAnswer,
  toContainer,
  toImage,
  toInfo,
  toSample,
} from './answers.ts';
import { answerWithinMs, Connection, type Engine, parseAddress, question } from './connection.ts';
import { calling, toRuntimeError } from './faults.ts';
import { linesOf, sendLogs } from './reading.ts';
import { processStreams } from './streams.ts';

/** Inspects at once when listing: each costs the engine 0.4 ms, more only queue there. */
const inspectsAtOnce = 8;
/** How often a removal "already in progress" is looked at, and how long at most. */
const removalPollMs = 50;
const removalPolls = 200;

/** For simple questions. Creating, starting and removing may take any time. */
const soon = (): { abortSignal: AbortSignal } => ({ abortSignal: AbortSignal.timeout(answerWithinMs) });

export class DockerRuntime implements ContainerRuntime {
  readonly name = 'docker';
  readonly #connection: Connection;

  /** `host`: where the engine listens, as in DOCKER_HOST. */
  constructor(host: string) {
    this.#connection = new Connection(parseAddress(host));
  }

  async info(): Promise<EngineInfo> {
    this.#connection.forget();
    const engine = await this.#connection.engine();
    const answer = await question<Parameters<typeof toInfo>[0]>(engine, '/info');
    return toInfo(answer, this.#connection.version);
  }

  async ping(): Promise<void> {
    const engine = await this.#connection.engine();
    await question(engine, '/_ping');
  }

  async images(): Promise<readonly ImageFound[]> {
    const engine = await this.#connection.engine();
    return ((await calling(() => engine.listImages(soon()))) ?? []).map(row =>
      toImage(row as Parameters<typeof toImage>[0]),
    );
  }

  async image(reference: string): Promise<ImageFound | undefined> {
    const engine = await this.#connection.engine();
    const found = await calling(() => engine.getImage(reference).inspect(), 404);
    return found && toImage(found);
  }

  async pullImage(reference: string, signal: Signal): Promise<void> {
    const engine = await this.#connection.engine();
    try {
      const progress = await calling(() => engine.pull(reference, {}));
      for await (const line of linesOf(progress as AsyncIterable<Buffer>, signal)) {
        const failure = pullFailure(JSON.parse(line));
        if (failure) throw failure;
      }
    } catch (error) {
      throw toRuntimeError(error);
    }
  }

  async importImage(repository: string, tag: string, tar: Uint8Array, changes: readonly string[]): Promise<void> {
    const engine = await this.#connection.engine();
    const query = new URLSearchParams({ fromSrc: '-', repo: repository, tag });
    for (const change of changes) query.append('changes', change);
    await dialled(engine, {
      path: `/images/create?${query}&`,
      method: 'POST',
      file: Buffer.from(tar),
      statusCodes: { 200: true },
    });
  }

  async create(spec: ContainerSpec): Promise<string> {
    const engine = await this.#connection.engine();
    const body = createBody(spec);
    const container = await calling(() => engine.createContainer(body as Parameters<typeof engine.createContainer>[0]));
    return container!.id;
  }

  async start(id: string): Promise<void> {
    const engine = await this.#connection.engine();
    await calling(() => engine.getContainer(id).start(), 304);
  }

  async signal(id: string, name: string): Promise<void> {
    const engine = await this.#connection.engine();
    await calling(() => engine.getContainer(id).kill({ signal: name }), 404, 409);
  }

  async remove(id: string): Promise<void> {
    const engine = await this.#connection.engine();
    const container = engine.getContainer(id);
    const remove = async (): Promise<boolean> =>
      calling(async () => {
        await container.remove({ force: true, v: true });
        return true;
      }, 404).then(() => true);
    try {
      await remove();
    } catch (error) {
      if (toRuntimeError(error).fault !== 'conflict') throw error;
      await this.#removed(id); // another removal is under way
    }
  }

  async #removed(id: string): Promise<void> {
    for (let poll = 0; poll < removalPolls; poll++) {
      if (!(await this.inspect(id))) return;
      await new Promise(resolve => setTimeout(resolve, removalPollMs));
    }
    throw new RuntimeError('other', `container ${id} is still being removed`);
  }

  async list(labels: Readonly<Record<string, string>>): Promise<readonly ContainerSeen[]> {
    const engine = await this.#connection.engine();
    const rows =
      (await calling(() => engine.listContainers({ ...soon(), all: true, filters: { label: pairs(labels) } }))) ?? [];
    const found: ContainerSeen[] = [];
    let next = 0;
    const inspecting = async () => {
      for (let row = rows[next++]; row; row = rows[next++]) {
        const seen = await this.inspect(row.Id);
        if (seen) found.push(seen);
      }
    };
    await Promise.all(Array.from({ length: inspectsAtOnce }, inspecting));
    return found;
  }

  async inspect(idOrName: string): Promise<ContainerSeen | undefined> {
    const engine = await this.#connection.engine();
    const answer = await calling(() => engine.getContainer(idOrName).inspect(soon()), 404);
    return answer && toContainer(answer as unknown as InspectAnswer);
  }

  async update(id: string, resources: ResourceUpdate): Promise<void> {
    const engine = await this.#connection.engine();
    await calling(() => engine.getContainer(id).update(resources));
  }

  async createMemoryVolume(name: string, sizeBytes: number, labels: Readonly<Record<string, string>>): Promise<void> {
    const engine = await this.#connection.engine();
    const options = { type: 'tmpfs', device: 'tmpfs', o: `size=${sizeBytes},mode=1777` };
    await calling(() => engine.createVolume({ Name: name, Driver: 'local', DriverOpts: options, Labels: labels }));
  }

  async removeVolume(name: string): Promise<void> {
    const engine = await this.#connection.engine();
    await calling(() => engine.getVolume(name).remove({ force: true }), 404);
  }

  async volumes(labels: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const engine = await this.#connection.engine();
    const answer = await calling(() => engine.listVolumes({ filters: { label: pairs(labels) } }));
    return (answer?.Volumes ?? []).map(volume => volume.Name);
  }

  async stats(id: string): Promise<StatsSample | undefined> {
    const engine = await this.#connection.engine();
    const options = { stream: false as const, 'one-shot': true };
    const answer = await calling(() => engine.getContainer(id).stats(options), 404, 409);
    return answer && toSample(answer as unknown as StatsAnswer);
  }

  async logs(
    id: string,
    options: LogOptions,
    send: (chunk: Uint8Array) => Promise<void>,
    signal: Signal,
  ): Promise<void> {
    const engine = await this.#connection.engine();
    const container = engine.getContainer(id);
    const answer = (await calling(() => container.inspect())) as unknown as { Config: { Tty: boolean } };
    const query = new URLSearchParams({
      follow: options.follow ? '1' : '0',
      stdout: options.stdout ? '1' : '0',
      stderr: options.stderr ? '1' : '0',
      timestamps: options.timestamps ? '1' : '0',
    });
    if (options.tailLines !== undefined) query.set('tail', String(options.tailLines));
    if (options.sinceMs !== undefined) query.set('since', (options.sinceMs / 1000).toFixed(3));
    // Not container.logs(): without follow that one reads the whole log into memory first.
    const stream = await dialled<AsyncIterable<Buffer>>(engine, {
      path: `/containers/${id}/logs?${query}&`,
      method: 'GET',
      isStream: true,
      statusCodes: { 200: true },
    });
    await sendLogs(stream, answer.Config.Tty, options, send, signal);
  }

  async exec(id: string, options: ExecOptions): Promise<ExecStreams> {
    const engine = await this.#connection.engine();
    const exec = await calling(() =>
      engine.getContainer(id).exec({
        Cmd: [...options.command],
        Tty: options.tty,
        AttachStdin: options.stdin,
        AttachStdout: options.stdout,
        AttachStderr: options.stderr && !options.tty,
      }),
    );
    const execId = exec!.id;
    const socket = await this.#connection.hijack(`/exec/${execId}/start`, { Detach: false, Tty: options.tty });
    const state = async () => (await calling(() => engine.getExec(execId).inspect()))!;
    const streams = processStreams(socket, options, async (w, h) => {
      await calling(() => engine.getExec(execId).resize({ w, h }), 409, 500);
    });
    return {
      ...streams,
      exitCode: async () => {
        const { Running: running, ExitCode: code } = await state();
        return running || code === null ? undefined : code;
      },
      pid: async () => (await state()).Pid ?? 0,
    };
  }

  async attach(id: string, options: StreamOptions): Promise<ProcessStreams> {
    const engine = await this.#connection.engine();
    const query = new URLSearchParams({ stream: '1' });
    for (const name of ['stdin', 'stdout', 'stderr'] as const) if (options[name]) query.set(name, '1');
    const socket = await this.#connection.hijack(`/containers/${id}/attach?${query}`);
    return processStreams(socket, options, async (w, h) => {
      await calling(() => engine.getContainer(id).resize({ w, h }), 404, 409, 500);
    });
  }

  async events(
    labels: Readonly<Record<string, string>>,
    listener: (event: RuntimeEvent) => void,
    opened: () => void,
    signal: Signal,
  ): Promise<void> {
    const engine = await this.#connection.engine();
    const unanswered = new AbortController();
    const late = setTimeout(() => unanswered.abort(), answerWithinMs);
    try {
      const filters = JSON.stringify({ type: ['container'], label: pairs(labels) });
      const stream = await calling(() => engine.getEvents({ filters, abortSignal: unanswered.signal }));
      clearTimeout(late);
      opened();
      for await (const line of linesOf(stream as unknown as AsyncIterable<Buffer>, signal)) {
        const { Action: action, Actor: actor, time } = JSON.parse(line) as EventLine;
        listener({ action, id: actor.ID, labels: actor.Attributes, timeMs: time * 1000 });
      }
    } catch (error) {
      if (!signal.aborted) throw toRuntimeError(error);
    } finally {
      clearTimeout(late);
    }
  }
}

interface EventLine {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly time: number;
}

const pairs = (labels: Readonly<Record<string, string>>): string[] =>
  Object.entries(labels).map(([key, value]) => `${key}=${value}`);

/** A call that dockerode has no method for. A path with a query ends in `&`: docker-modem cuts its last character. */
const dialled = <T>(engine: Engine, options: object): Promise<T> =>
  new Promise((resolve, reject) => {
    engine.modem.dial(options as Parameters<typeof engine.modem.dial>[0], (error: unknown, answer: unknown) =>
      error ? reject(toRuntimeError(error)) : resolve(answer as T),
    );
  });

const createBody = (spec: ContainerSpec): object => ({
  name: spec.name,
  Image: spec.image,
  Labels: spec.labels,
  ...(spec.entrypoint === undefined ? {} : { Entrypoint: spec.entrypoint }),
  ...(spec.command === undefined ? {} : { Cmd: spec.command }),
  Env: spec.env,
  ...(spec.workingDir === undefined ? {} : { WorkingDir: spec.workingDir }),
  ...(spec.user === undefined ? {} : { User: spec.user }),
  ...(spec.hostname === undefined ? {} : { Hostname: spec.hostname }),
  ...(spec.exposedPorts === undefined
    ? {}
    : { ExposedPorts: Object.fromEntries(spec.exposedPorts.map(port => [port, {}])) }),
  ...(spec.stopSignal === undefined ? {} : { StopSignal: spec.stopSignal }),
  Tty: spec.tty,
  OpenStdin: spec.stdin,
  StdinOnce: spec.stdinOnce,
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  HostConfig: { ...spec.host, RestartPolicy: { Name: 'no' }, AutoRemove: false },
});
