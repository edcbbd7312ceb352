/** Runs programs of the machine: their output as text, or an error that names the command and quotes what it said. */
import { spawn } from 'node:child_process';
import { SetupError } from './progress.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
}

const maxOutputBytes = 16 << 20;

/** Runs to the end; a program that cannot be started has code 127, one that took too long is killed and has code 124. */
export const runCommand = (
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> =>
  new Promise(resolve => {
    const child = spawn(command, [...args], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < maxOutputBytes) stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < maxOutputBytes) stderr += text;
    });
    // A program that ends before it has read its input is no fault of ours.
    child.stdin?.on('error', () => {}).end(options.input);
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 600_000);
    child.on('error', error => {
      clearTimeout(timer);
      resolve({ code: 127, stdout, stderr: `${stderr}${error.message}` });
    });
    child.on('close', code => {
      clearTimeout(timer);
      resolve({ code: timedOut ? 124 : (code ?? 137), stdout, stderr });
    });
  });

/** Like runCommand, but any other code than 0 is a SetupError that quotes the end of what the program wrote. */
export const mustRun = async (
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> => {
  const result = await runCommand(command, args, options);
  if (result.code === 0) return result;
  const said = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-12).join('\n');
  throw new SetupError(
    `\`${[command, ...args].join(' ').slice(0, 300)}\` failed with exit code ${result.code}:\n${said}`,
  );
};

/** The path of a program on PATH, or undefined. */
export const whichCommand = async (name: string): Promise<string | undefined> => {
  const found = await runCommand('sh', ['-c', `command -v -- ${name}`]);
  return found.code === 0 ? found.stdout.trim() : undefined;
};
