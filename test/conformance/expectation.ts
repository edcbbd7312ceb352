/** What a step of a documentation case says its command must print; pure. */

export interface Expectation {
  readonly equals?: string;
  readonly contains?: string | readonly string[];
  readonly containsOneOf?: readonly string[];
  readonly oneOf?: readonly string[];
  readonly startsWith?: string;
  readonly atLeast?: number;
  readonly lineCount?: number;
  readonly lines?: readonly string[];
  readonly revisions?: readonly number[];
  readonly memoryBytesBetween?: readonly [number, number];
  readonly cpuMilliBetween?: readonly [number, number];
  readonly expectExit?: number | 'nonzero';
  readonly stderrContains?: readonly string[];
}

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The first thing that is not as expected, in words; undefined when all is. */
export const disappointment = (output: Output, expected: Expectation): string | undefined => {
  const { stdout, stderr, code } = output;
  const wantedExit = expected.expectExit ?? 0;
  if (wantedExit === 'nonzero' ? code === 0 : code !== wantedExit) {
    return `exit code ${code} instead of ${wantedExit}; stderr: ${stderr.trim()}`;
  }
  for (const part of expected.stderrContains ?? [])
    if (!stderr.includes(part)) return `stderr lacks ${quoted(part)}: ${quoted(stderr)}`;
  // A trailing newline is kubectl's, except where the value itself ends in one.
  const text = expected.equals?.endsWith('\n') ? stdout : stdout.trim();
  const contained = typeof expected.contains === 'string' ? [expected.contains] : (expected.contains ?? []);
  for (const part of contained) if (!stdout.includes(part)) return `output lacks ${quoted(part)}: ${quoted(stdout)}`;
  if (expected.equals !== undefined && text !== expected.equals)
    return `${quoted(text)} instead of ${quoted(expected.equals)}`;
  if (expected.oneOf && !expected.oneOf.includes(text))
    return `${quoted(text)} is none of ${expected.oneOf.join(', ')}`;
  if (expected.containsOneOf && !expected.containsOneOf.some(part => stdout.includes(part))) {
    return `output has none of ${expected.containsOneOf.join(', ')}: ${quoted(stdout)}`;
  }
  if (expected.startsWith !== undefined && !text.startsWith(expected.startsWith))
    return `${quoted(text)} does not start with ${expected.startsWith}`;
  if (expected.atLeast !== undefined && !(Number(text) >= expected.atLeast && text !== ''))
    return `${quoted(text)} is not at least ${expected.atLeast}`;
  return linesOff(text, expected) ?? usageOff(text, expected);
};

const linesOff = (text: string, expected: Expectation): string | undefined => {
  const lines = text === '' ? [] : text.split('\n');
  if (expected.lineCount !== undefined && lines.length !== expected.lineCount)
    return `${lines.length} lines instead of ${expected.lineCount}: ${quoted(text)}`;
  if (expected.lines && lines.slice(0, expected.lines.length).join('\n') !== expected.lines.join('\n')) {
    return `lines ${quoted(text)} instead of ${quoted(expected.lines.join('\n'))}`;
  }
  if (expected.revisions) {
    const found = lines.flatMap(line => /^(\d+)\s/.exec(line)?.[1] ?? []).map(Number);
    if (found.join() !== expected.revisions.join())
      return `revisions ${found.join()} instead of ${expected.revisions.join()}`;
  }
  return undefined;
};

/** `kubectl top pod --no-headers` prints NAME CPU MEMORY. */
const usageOff = (text: string, expected: Expectation): string | undefined => {
  const [, cpu, memory] = /^\S+\s+(\d+)m\s+(\d+)Mi/.exec(text) ?? [];
  const range = expected.memoryBytesBetween ?? expected.cpuMilliBetween;
  if (range === undefined) return undefined;
  const value = expected.memoryBytesBetween ? Number(memory) * 2 ** 20 : Number(cpu);
  return value >= range[0] && value <= range[1]
    ? undefined
    : `${quoted(text)} is not between ${range[0]} and ${range[1]}`;
};

const quoted = (text: string): string => JSON.stringify(text.length > 1500 ? `${text.slice(0, 1500)}…` : text);

/**
 * The words of a command line as the cases write it: separated by spaces, quoted where a word begins with a quote; no
 * other character is special, so JSONPath and JSON need no quoting. `&&` and `;` separate commands.
 */
export const commandsOf = (line: string): readonly (readonly string[])[] => {
  const commands: string[][] = [[]];
  for (const match of line.matchAll(/(['"])(.*?)\1(?=[\s;]|$)(;?)|(\S+)/g)) {
    const [, quote, quotedText, semicolonAfterQuote, plain] = match;
    const word = quote === undefined ? plain! : quotedText!;
    if (quote === undefined && word === '&&') commands.push([]);
    else if (quote === undefined && word.endsWith(';')) {
      if (word.length > 1) commands.at(-1)!.push(word.slice(0, -1));
      commands.push([]);
    } else {
      commands.at(-1)!.push(word);
      if (semicolonAfterQuote) commands.push([]);
    }
  }
  return commands.filter(command => command.length > 0);
};
