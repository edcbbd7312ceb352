/** Which nodes have which container images, by every name that an image has. */
import type { Node } from '#api/kinds/core.ts';

/** Told of every node that comes, changes or goes. */
export class ImageIndex {
  /** Raised when a node's images changed, or the number of nodes. */
  revision = 0;
  readonly #sizes = new Map<string, Map<number, number>>();

  /** The image's size in bytes, by the rows of the nodes that have it; undefined while none has. */
  sizes(name: string): ReadonlyMap<number, number> | undefined {
    return this.#sizes.get(name);
  }

  add(slot: number, node: Node): void {
    this.revision++;
    for (const { names = [], sizeBytes = 0 } of node.status?.images ?? [])
      for (const name of names) {
        const sizes = this.#sizes.get(name);
        if (sizes === undefined) this.#sizes.set(name, new Map([[slot, sizeBytes]]));
        else sizes.set(slot, sizeBytes);
      }
  }

  /** `node`: as it was added. */
  remove(slot: number, node: Node): void {
    this.revision++;
    for (const { names = [] } of node.status?.images ?? [])
      for (const name of names) {
        const sizes = this.#sizes.get(name);
        sizes?.delete(slot);
        if (sizes?.size === 0) this.#sizes.delete(name);
      }
  }

  update(slot: number, was: Node, now: Node): void {
    if (JSON.stringify(was.status?.images) === JSON.stringify(now.status?.images)) return;
    this.remove(slot, was);
    this.add(slot, now);
  }
}
