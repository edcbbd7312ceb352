/** Words for what code of others gave where something else was expected. */

const mostLetters = 100;

export const wordOf = (said: unknown): string => {
  if (said === undefined) return 'nothing';
  if (isPromise(said)) return 'a promise (the scheduler waits for nothing: no async here)';
  if (typeof said === 'function') return 'a function';
  const text = typeof said === 'string' || typeof said === 'object' ? jsonOf(said) : String(said);
  return text.length > mostLetters ? `${text.slice(0, mostLetters)}…` : text;
};

const jsonOf = (said: unknown): string => {
  try {
    return JSON.stringify(said) ?? 'an object';
  } catch {
    return 'an object';
  }
};

/** Of a promise nobody waits for, a failure is nobody's concern either; unheard it would end the process. */
const isPromise = (said: unknown): boolean => {
  const then = typeof said === 'object' && said !== null && 'then' in said ? said.then : undefined;
  if (typeof then !== 'function') return false;
  Reflect.apply(then, said, [undefined, () => undefined]);
  return true;
};
