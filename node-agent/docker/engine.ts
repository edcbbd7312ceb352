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
import { answerWithinMs, Connection, dialled, parseAddress, question } from './connection.ts';
import { calling, toRuntimeError } from './faults.ts';
import { linesOf } from './reading.ts';
import { followEvents, openAttach, openExec, readLogs, type SendChunk } from './sessions.ts';

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

  async hasNetwork(name: string): Promise<boolean> {
    const engine = await this.#connection.engine();
    return (await calling(() => question<object>(engine, `/networks/${name}`), 404)) !== undefined;
  }

  async stats(id: string): Promise<StatsSample | undefined> {
    const engine = await this.#connection.engine();
    const options = { stream: false as const, 'one-shot': true };
    const answer = await calling(() => engine.getContainer(id).stats(options), 404, 409);
    return answer && toSample(answer as unknown as StatsAnswer);
  }

  async logs(id: string, options: LogOptions, send: SendChunk, signal: Signal): Promise<void> {
    return readLogs(this.#connection, id, options, send, signal);
  }

  async exec(id: string, options: ExecOptions): Promise<ExecStreams> {
    return openExec(this.#connection, id, options);
  }

  async attach(id: string, options: StreamOptions): Promise<ProcessStreams> {
    return openAttach(this.#connection, id, options);
  }

  async events(
    labels: Readonly<Record<string, string>>,
    listener: (event: RuntimeEvent) => void,
    opened: () => void,
    signal: Signal,
  ): Promise<void> {
    return followEvents(this.#connection, pairs(labels), { listener, opened }, signal);
  }
}

const pairs = (labels: Readonly<Record<string, string>>): string[] =>
  Object.entries(labels).map(([key, value]) => `${key}=${value}`);

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
