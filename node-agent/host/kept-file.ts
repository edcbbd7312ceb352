/** A small kernel file that is read again and again through one kept descriptor (20 times cheaper than opening it). */
import { closeSync, openSync, readSync } from 'node:fs';

/** Larger than any memory.stat. */
const buffer = Buffer.alloc(16 * 1024);

export class KeptFile {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Undefined when the file cannot be opened. */
  static open(path: string): KeptFile | undefined {
    try {
      return new KeptFile(openSync(path, 'r'));
    } catch {
      return undefined; // a group without this file is an answer, not a failure
    }
  }

  /** Present text; undefined once the file is dead (ENODEV after a cgroup's end). */
  read(): string | undefined {
    try {
      return buffer.toString('latin1', 0, readSync(this.#fd, buffer, 0, buffer.length, 0));
    } catch {
      return undefined;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The number after `key ` in a file of `key value` lines; 0 where there is none. */
export const counterOf = (text: string, key: string): number => {
  const at = text.startsWith(`${key} `) ? 0 : text.indexOf(`\n${key} `) + 1;
  if (at === 0 && !text.startsWith(`${key} `)) return 0;
  return Number.parseInt(text.slice(at + key.length + 1), 10) || 0;
};
