/** How set-up tells what it does: one line when a step begins, one when it is done. The caller decides where lines go. */
export interface Progress {
  /** A step that takes a while has begun. */
  begin(text: string): void;
  /** The step is done; `text` says what stands now. */
  done(text: string): void;
}

/** Plain lines on a stream, for tests and for terminals that cannot redraw. */
export const lineProgress = (write: (line: string) => void): Progress => ({
  begin: text => write(`  … ${text}`),
  done: text => write(`  ✓ ${text}`),
});

/** What a user must know and can act on: printed without a stack, exit code 1. */
export class SetupError extends Error {
  override name = 'SetupError';
}
