/**
 * Finds a cluster's process by its command line, for when its data folder was deleted under it: the note of it is gone
 * with the folder, the process, its containers and its context are not. Only a Node that runs this program for exactly
 * that folder counts, so that nothing else is ever taken for one.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { dataFolder, type Identity, startTicks } from './instance.ts';

/** The processes that serve this data folder, whether or not it knows of them. */
export const findProcesses = (data: string): readonly Identity[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(name => {
      const pid = Number(name);
      const startedTicks = startTicks(pid);
      return startedTicks !== undefined && servedBy(pid) === data ? [{ pid, startedTicks }] : [];
    });

/** True when the process holds files of the folder that were deleted under it; one that is only just starting does not. */
export const lostItsFolder = (pid: number, data: string): boolean => {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some(name => {
      const file = readlinkSync(`${folder}/${name}`);
      return file.startsWith(`${data}/`) && file.endsWith(' (deleted)');
    });
  } catch {
    // It ended meanwhile.
    return false;
  }
};

/** The data folder that a process serves; undefined for any other program. */
const servedBy = (pid: number): string | undefined => {
  try {
    const [runtime = '', ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const program = words.findIndex(word => !word.startsWith('-'));
    if (!/^node/.test(basename(runtime)) || !isProgram(words[program])) return undefined;
    const flags = servingFlags(words.slice(program + 1));
    if (!flags) return undefined;
    const env = Object.fromEntries(
      readFileSync(`/proc/${pid}/environ`, 'utf8')
        .split('\0')
        .map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
    return dataFolder({ env, cwd: readlinkSync(`/proc/${pid}/cwd`) }, flags.data);
  } catch {
    // It ended meanwhile, or belongs to somebody whose processes are not ours to read.
    return undefined;
  }
};

const isProgram = (path = ''): boolean => ['bin.js', 'berth'].includes(basename(path));

/** `up --foreground …` and `server …` serve; everything else does not. */
const servingFlags = ([command, ...words]: readonly string[]): { data: string | undefined } | undefined => {
  const serves = command === 'server' || (command === 'up' && words.includes('--foreground'));
  if (!serves) return undefined;
  const at = words.findIndex(word => word === '--data' || word.startsWith('--data='));
  const word = words[at];
  return { data: word === '--data' ? words[at + 1] : word?.slice('--data='.length) };
};
