/**
 * `berth completion bash`: a script for the shell. Commands and flags stand in it, from the declarations of the commands;
 * types and names of objects are asked for when they are completed.
 */
import type { Command } from 'commander';
import { type Define, newCommand } from './command.ts';
import { CliError } from './failure.ts';
import type { Io } from './io.ts';

export interface Completed {
  readonly name: string;
  readonly load: () => Promise<{ define: Define }>;
}

/** Prints the script; throws CliError for any other shell. */
export const printCompletion = async (
  words: readonly string[],
  commands: readonly Completed[],
  io: Io,
): Promise<number> => {
  const [shell, ...more] = words;
  if (shell === '--help' || shell === '-h') {
    io.out(
      'Usage: berth completion bash\n\nPrints a script for the shell; to use it: source <(berth completion bash)\n',
    );
    return 0;
  }
  if (shell !== 'bash' || more.length > 0)
    throw new CliError('expected `berth completion bash`: bash is the shell it knows');
  const flags = await Promise.all(
    commands.map(async ({ name, load }) => [name, await flagsOf(name, load, io)] as const),
  );
  io.out(script(flags));
  return 0;
};

const flagsOf = async (name: string, load: Completed['load'], io: Io): Promise<readonly string[]> => {
  const command = newCommand(name, io);
  (await load()).define(command, io);
  const all = (one: Command): readonly string[] => [
    ...one.options.map(({ long }) => long ?? ''),
    ...one.commands.flatMap(all),
  ];
  return [...new Set([...all(command), '--help'])].filter(flag => flag !== '').sort();
};

const script = (commands: readonly (readonly [string, readonly string[]])[]): string => `# bash completion for berth
# to use it: source <(berth completion bash)
_berth() {
  local word=\${COMP_WORDS[COMP_CWORD]} words= i
  local plain=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -n | --namespace | --context | --kubeconfig | --request-timeout | -l | -o | -f | -c) ((i++)) ;;
      -*) ;;
      *) plain+=("\${COMP_WORDS[i]}") ;;
    esac
  done
  if ((\${#plain[@]} == 0)); then
    words='${[...commands.map(([name]) => name), 'completion', 'help'].join(' ')}'
  elif [[ $word == -* ]]; then
    case \${plain[0]} in
${commands.map(([name, flags]) => `      ${name}) words='${flags.join(' ')}' ;;`).join('\n')}
    esac
  else
    case \${plain[0]} in
      get | describe | delete | wait | label | annotate)
        if ((\${#plain[@]} == 1)); then words=$(berth api-resources -o name 2>/dev/null)
        else words=$(berth get "\${plain[1]}" -o custom-columns=N:metadata.name --no-headers 2>/dev/null); fi ;;
      logs | exec | why) words=$(berth get pods -o custom-columns=N:metadata.name --no-headers 2>/dev/null) ;;
      cordon | uncordon) words=$(berth get nodes -o custom-columns=N:metadata.name --no-headers 2>/dev/null) ;;
      taint)
        if ((\${#plain[@]} == 1)); then words=node
        else words=$(berth get nodes -o custom-columns=N:metadata.name --no-headers 2>/dev/null); fi ;;
      top) words='node pod' ;;
      help) words='${commands.map(([name]) => name).join(' ')}' ;;
      completion) words=bash ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _berth berth
`;
