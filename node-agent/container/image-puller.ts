/**
 * Gets images for containers by their pull policy. Where the policy asks for a pull, no registry can be reached, and
 * the image is on the machine, that one is used and the event says so: otherwise nothing without a tag would run on a
 * machine without a network.
 */
import type { Container } from '#api/kinds/core.ts';
import type { Clock, Signal } from '#base/clock.ts';
import { Limiter } from '../limiter.ts';
import { type ContainerRuntime, type ImageFound, isFault, RuntimeError } from '../runtime.ts';
import { imageNameFault, isUnreachable, pullPolicyOf, withTag } from './image-policy.ts';

/** What became of it: events to record, and a failure as the container's waiting reason. */
export interface ImageOutcome {
  readonly events: readonly {
    readonly type: 'Normal' | 'Warning';
    readonly reason: string;
    readonly message: string;
  }[];
  readonly failure?: { readonly reason: string; readonly message: string };
}

const pullsAtOnce = 2;
/** Images whose description is kept between the look at them and the container's creation. */
const maxRemembered = 200;
/** For so long a registry that could not be reached is not asked again when the image is here anyway. */
const unreachableForMs = 60_000;

export class ImagePuller {
  readonly #runtime: ContainerRuntime;
  readonly #clock: Clock;
  readonly #pulls = new Limiter(pullsAtOnce);
  /** Registry host → until when it counts as unreachable, and why. */
  readonly #unreachable = new Map<string, { readonly untilMs: number; readonly cause: string }>();

  readonly #found = new Map<string, ImageFound>();

  constructor(runtime: ContainerRuntime, clock: Clock) {
    this.#runtime = runtime;
    this.#clock = clock;
  }

  /** The image as it was last found for a container; undefined when it has to be looked for. */
  lastFound(image: string): ImageFound | undefined {
    return this.#found.get(image);
  }

  /** `announce` is called when a pull begins, which may take long. Throws only when the engine does not answer. */
  async ensure(container: Container, announce: (message: string) => void, signal: Signal): Promise<ImageOutcome> {
    const image = container.image ?? '';
    const fault = imageNameFault(image);
    if (fault !== undefined)
      return {
        events: [
          {
            type: 'Warning',
            reason: 'InspectFailed',
            message: `Failed to apply default image tag "${image}": ${fault}`,
          },
        ],
        failure: { reason: 'InvalidImageName', message: `Failed to apply default image tag "${image}": ${fault}` },
      };
    const policy = pullPolicyOf(container);
    const isPresent = (await this.#look(image)) !== undefined;
    if (policy === 'Never' && !isPresent) {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      return {
        events: [{ type: 'Warning', reason: 'ErrImageNeverPull', message }],
        failure: { reason: 'ErrImageNeverPull', message },
      };
    }
    if (policy !== 'Always' && isPresent) return present(`${alreadyHere(image)} and can be accessed by the pod`);
    if (isPresent) {
      const known = this.#unreachable.get(registryOf(image));
      if (known && known.untilMs > this.#clock.now()) return present(localInstead(image, known.cause));
    }
    announce(`Pulling image "${image}"`);
    return this.#pull(image, isPresent, signal);
  }

  async #look(image: string): Promise<ImageFound | undefined> {
    const found = await this.#runtime.image(withTag(image));
    this.#found.delete(image);
    if (found) this.#found.set(image, found);
    if (this.#found.size > maxRemembered) this.#found.delete(this.#found.keys().next().value!);
    return found;
  }

  async #pull(image: string, isPresent: boolean, signal: Signal): Promise<ImageOutcome> {
    const askedMs = this.#clock.now();
    try {
      let begunMs = askedMs;
      await this.#pulls.run(() => {
        begunMs = this.#clock.now();
        return this.#runtime.pullImage(withTag(image), signal);
      });
      const found = await this.#look(image);
      const now = this.#clock.now();
      const took = `${seconds(now - begunMs)} (${seconds(now - askedMs)} including waiting)`;
      const message = `Successfully pulled image "${image}" in ${took}. Image size: ${found?.sizeBytes ?? 0} bytes.`;
      return { events: [{ type: 'Normal', reason: 'Pulled', message }] };
    } catch (error) {
      if (isFault(error, 'unavailable')) throw error;
      const said = (error as Error).message;
      // What the engine or the registry says reads as the Docker client shows it, and as kubelets on Docker did.
      const cause = error instanceof RuntimeError ? `Error response from daemon: ${said}` : said;
      if (isPresent && isUnreachable(said)) {
        this.#unreachable.set(registryOf(image), { untilMs: this.#clock.now() + unreachableForMs, cause });
        return present(localInstead(image, cause));
      }
      return {
        events: [{ type: 'Warning', reason: 'Failed', message: `Failed to pull image "${image}": ${cause}` }],
        failure: { reason: 'ErrImagePull', message: cause },
      };
    }
  }
}

const present = (message: string): ImageOutcome => ({ events: [{ type: 'Normal', reason: 'Pulled', message }] });

const alreadyHere = (image: string): string => `Container image "${image}" already present on machine`;

const localInstead = (image: string, cause: string): string =>
  `${alreadyHere(image)}: it is used although imagePullPolicy is Always, because no registry could be reached (${cause})`;

/** The host that an image comes from. */
const registryOf = (image: string): string => {
  const first = image.split('/')[0]!;
  return image.includes('/') && /[.:]|^localhost$/.test(first) ? first : 'docker.io';
};

const seconds = (ms: number): string => (ms < 1000 ? `${ms}ms` : `${ms / 1000}s`);
