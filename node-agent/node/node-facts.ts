/** Gathers what the node's status is worked out of (node-status.ts): the engine's images, the disk, what the agent knows. */
import type { Pod } from '#api/kinds/core.ts';
import { milliValue, wholeValue } from '#api/quantity.ts';
import { podRequests } from '#api/resources.ts';
import type { Clock } from '#base/clock.ts';
import type { HostFacts, Machine } from '../machine.ts';
import type { ContainerRuntime, EngineInfo, ImageFound } from '../runtime.ts';
import type { NodeFacts } from './node-status.ts';

/** How often the engine is asked for its images: a question that costs it more than the others. */
const imagesEveryMs = 10_000;

export interface NodeFactsDeps {
  readonly runtime: ContainerRuntime;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly info: EngineInfo;
  readonly host: HostFacts;
  readonly dataDir: string;
  readonly shareFault: string | undefined;
  readonly remarks: readonly string[];
  engineFault(): string | undefined;
  memoryInUseBytes(): number | undefined;
}

export class NodeFactsSource {
  readonly #deps: NodeFactsDeps;
  #images: readonly ImageFound[] = [];
  #imagesAtMs = 0;

  constructor(deps: NodeFactsDeps) {
    this.#deps = deps;
  }

  /** What is known without asking anybody. */
  known(): NodeFacts {
    const { info, host, shareFault, remarks } = this.#deps;
    return {
      info,
      host,
      images: this.#images,
      fileSystem: { capacityBytes: 0, availableBytes: 0 },
      memoryInUseBytes: this.#deps.memoryInUseBytes(),
      engineFault: this.#deps.engineFault(),
      shareFault,
      remarks,
    };
  }

  /** The same with engine and disk asked; an engine that does not answer leaves the images as they were. */
  async gather(): Promise<NodeFacts> {
    const { machine, dataDir, runtime, clock } = this.#deps;
    if (this.#deps.engineFault() === undefined && clock.now() - this.#imagesAtMs >= imagesEveryMs) {
      this.#imagesAtMs = clock.now();
      this.#images = await runtime.images().catch(() => this.#images);
    }
    return { ...this.known(), fileSystem: await machine.files.fileSystem(dataDir) };
  }
}

/** CPU and memory that these pods request together. */
export const requestedBy = (pods: readonly Pod[]): { readonly cpuMilli: number; readonly memoryBytes: number } => {
  const requests = pods.map(pod => podRequests(pod));
  const sum = (resource: string, value: (text: string) => number) =>
    requests.reduce((total, list) => total + value(list[resource] ?? '0'), 0);
  return { cpuMilli: sum('cpu', milliValue), memoryBytes: sum('memory', wholeValue) };
};
