/** What somebody may have meant who wrote a name that is not there. */

/** `; did you mean NodeResourcesFit?`, or all that is known. */
export const knownText = (name: string, known: readonly string[]): string => {
  const near = known.filter(other => isNear(name.toLowerCase(), other.toLowerCase()));
  return near.length === 0 ? `; known here: ${known.join(', ')}` : `; did you mean ${near.join(' or ')}?`;
};

const fewLetters = 2;

const isNear = (a: string, b: string): boolean =>
  a.length > fewLetters && (isWithin(a, b) || isWithin(b, a) || distance(a, b) <= fewLetters);

/** All letters of the one are in the other, in order: `nodefit` in `noderesourcesfit`. */
const isWithin = (short: string, long: string): boolean => {
  let at = 0;
  for (const letter of long) if (letter === short[at]) at++;
  return at === short.length;
};

/** Letters to change, add or leave out, at least (Levenshtein). */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1), row[j]! + 1, next[j - 1]! + 1));
    row = next;
  }
  return row[b.length]!;
};
