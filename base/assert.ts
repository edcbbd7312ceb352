/** For bugs only: what can go wrong in a user's hands is an outcome or an ApiError, never an assertion. */
export class Bug extends Error {
  override name = 'Bug';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Bug(message);
}

/** The value, or a Bug when it is null or undefined. */
export const must = <T>(value: T | null | undefined, message: string): T => {
  if (value === null || value === undefined) throw new Bug(message);
  return value;
};

/** Ends a switch over a union: the compiler proves that no case was forgotten. */
export const unreachable = (value: never): never => {
  throw new Bug(`unreachable: ${JSON.stringify(value)}`);
};
