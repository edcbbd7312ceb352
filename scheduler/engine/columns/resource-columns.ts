/**
 * What nodes have and what the pods on them ask for, one array per resource over all rows. Amounts are whole numbers: cpu in
 * milli, everything else in whole units (bytes, pieces).
 */
import { amountOf } from '../requests.ts';
import type { Usage } from '../shapes/shape.ts';

const cpu = 0;
const memory = 1;

/** Up to this many bytes 100 times an amount is exact in a double. */
export const plainLimit = 9e13;

/** Arrays are replaced by `resize`; those of a resource exist from the first time that it is asked for. */
export class ResourceColumns {
  /** Names by number of column; the first three are always there. */
  readonly names: string[] = [];
  readonly allocatable: Float64Array[] = [];
  /** Requests of the pods on the node. */
  readonly used: Float64Array[] = [];
  /** Always allocatable less used: the filter reads one array instead of two. */
  readonly free: Float64Array[] = [];
  /** Requests with 100m / 200Mi in place of what a container leaves out; only scores by allocation read these. */
  nonZeroCpu: Float64Array = new Float64Array(0);
  nonZeroMemory: Float64Array = new Float64Array(0);
  /** `status.allocatable.pods`, how many there are, and how many more may come. */
  podLimit: Float64Array = new Float64Array(0);
  podCount: Float64Array = new Float64Array(0);
  podRoom: Float64Array = new Float64Array(0);
  /** Rows with so much memory, or none of cpu or memory, that scores need more than plain arithmetic. */
  readonly oddNodes = new Set<number>();
  readonly #columnOf = new Map<string, number>();
  #capacity = 0;

  constructor() {
    for (const name of ['cpu', 'memory', 'ephemeral-storage']) this.column(name);
  }

  /** The column of a resource, made when it is new. */
  column(name: string): number {
    const known = this.#columnOf.get(name);
    if (known !== undefined) return known;
    const column = this.names.length;
    this.names.push(name);
    this.#columnOf.set(name, column);
    for (const arrays of [this.allocatable, this.used, this.free]) arrays.push(new Float64Array(this.#capacity));
    return column;
  }

  resize(capacity: number): void {
    this.#capacity = capacity;
    for (const arrays of [this.allocatable, this.used, this.free])
      for (let i = 0; i < arrays.length; i++) arrays[i] = longer(arrays[i]!, capacity);
    this.nonZeroCpu = longer(this.nonZeroCpu, capacity);
    this.nonZeroMemory = longer(this.nonZeroMemory, capacity);
    this.podLimit = longer(this.podLimit, capacity);
    this.podCount = longer(this.podCount, capacity);
    this.podRoom = longer(this.podRoom, capacity);
  }

  /** What a node has from now on: quantities by resource name. */
  setAllocatable(slot: number, allocatable: Readonly<Record<string, string>>): void {
    for (const column of this.allocatable) column[slot] = 0;
    this.podLimit[slot] = 0;
    for (const name in allocatable) {
      const amount = amountOf(name, allocatable[name] as string);
      if (name === 'pods') this.podLimit[slot] = amount;
      else this.allocatable[this.column(name)]![slot] = amount;
    }
    for (let i = 0; i < this.free.length; i++) this.free[i]![slot] = this.allocatable[i]![slot]! - this.used[i]![slot]!;
    this.podRoom[slot] = this.podLimit[slot]! - this.podCount[slot]!;
    const [hasCpu, hasMemory] = [this.allocatable[cpu]![slot]!, this.allocatable[memory]![slot]!];
    if (hasCpu > 0 && hasMemory > 0 && hasMemory <= plainLimit) this.oddNodes.delete(slot);
    else this.oddNodes.add(slot);
  }

  /** For a row whose node is gone. */
  clear(slot: number): void {
    this.setAllocatable(slot, {});
    this.oddNodes.delete(slot);
  }

  /** A pod comes to the node (`sign` 1) or leaves it. */
  use(slot: number, { columns, amounts, requests }: Usage, sign: 1 | -1): void {
    for (let i = 0; i < columns.length; i++) {
      const amount = sign * amounts[i]!;
      this.used[columns[i]!]![slot]! += amount;
      this.free[columns[i]!]![slot]! -= amount;
    }
    this.nonZeroCpu[slot]! += sign * requests.nonZeroCpuMilli;
    this.nonZeroMemory[slot]! += sign * requests.nonZeroMemoryBytes;
    this.podCount[slot]! += sign;
    this.podRoom[slot]! -= sign;
  }
}

const longer = (array: Float64Array, length: number): Float64Array => {
  const larger = new Float64Array(length);
  larger.set(array);
  return larger;
};
