/**
 * Cuts a stream of bytes into JSON lines, however the network chunked it. A long line is held as its chunks and joined
 * once, so that its cost stays linear; a line above the limit is refused rather than held for ever.
 */
import { ApiError } from '#api/status.ts';

const newline = 10;
/** Far above any object the API accepts (3 MiB). */
const lineLimitBytes = 64 * 1024 * 1024;

export class JsonLines {
  readonly #decode: (chunks: readonly Uint8Array[]) => string;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  /** `decode` joins chunks and reads them as UTF-8. */
  constructor(decode: (chunks: readonly Uint8Array[]) => string) {
    this.#decode = decode;
  }

  /** The values of all lines that the chunk completed. The chunk is kept: the caller must not reuse its memory. */
  push(chunk: Uint8Array): unknown[] {
    const end = chunk.lastIndexOf(newline);
    if (end < 0) {
      this.#hold(chunk);
      return [];
    }
    this.#hold(chunk.subarray(0, end));
    const text = this.#take();
    if (end + 1 < chunk.length) this.#hold(chunk.subarray(end + 1));
    return parsed(text);
  }

  /** The value of a last line that ended without a newline. */
  end(): unknown[] {
    return parsed(this.#take());
  }

  #hold(chunk: Uint8Array): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > lineLimitBytes) throw malformed(`a line of more than ${lineLimitBytes} bytes`);
  }

  #take(): string {
    const text = this.#held.length === 0 ? '' : this.#decode(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return text;
  }
}

const parsed = (text: string): unknown[] => {
  const values: unknown[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    try {
      values.push(JSON.parse(line));
    } catch (error) {
      if (error instanceof SyntaxError) throw malformed(`${JSON.stringify(line.slice(0, 80))} (${error.message})`);
      throw error;
    }
  }
  return values;
};

const malformed = (what: string): ApiError =>
  new ApiError({ code: 502, reason: 'InternalError', message: `unable to decode the watch stream: ${what}` });
