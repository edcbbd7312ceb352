/** Colours for terminals that show them. */
const codes = { bold: 1, dim: 2, red: 31, green: 32, cyan: 36 } as const;

export type Code = keyof typeof codes;

export type Paint = (code: Code, text: string) => string;

export const paintFor = (colour: boolean): Paint => {
  if (!colour) return (_, text) => text;
  return (code, text) => (text === '' ? '' : `\u001b[${codes[code]}m${text}\u001b[0m`);
};
