/**
 * What kubectl has and berth does not. Naming it makes the difference between a typing mistake and something that this
 * program will never do, and says what does it: kubectl works with the same cluster.
 */

const commands = new Set(
  `api-versions attach auth autoscale certificate cluster-info config cp create debug diff drain edit explain expose
  kustomize options patch plugin port-forward proxy replace rollout run scale set`.split(/\s+/),
);

/** Of any command. */
const flags = `--allow-missing-template-keys --as --as-group --as-uid --cache-dir --certificate-authority
  --client-certificate --client-key --cluster --disable-compression --insecure-skip-tls-verify --kustomize
  --log-flush-frequency --match-server-version --password --profile --profile-output --server --tls-server-name --token
  --user --username --v --vmodule --warnings-as-errors -k -s -v`.split(/\s+/);

const flagsOf: Readonly<Record<string, string>> = {
  annotate: '--local',
  apply: '--all --openapi-patch --prune --prune-allowlist --subresource --wait',
  delete: '--interactive --raw -i',
  get: '--server-print --subresource',
  label: '--local',
  logs: '--insecure-skip-tls-verify-backend',
  taint: '--validate',
  'top node': '--use-protocol-buffers',
  'top pod': '--use-protocol-buffers',
  wait: '--local',
};

const hint = (line: string): string => `kubectl has it and works with the same cluster: ${line} …`;

/** A sentence for the user of a command that only kubectl has; undefined for any other word. */
export const kubectlHasCommand = (name: string): string | undefined => {
  if (!commands.has(name)) return undefined;
  return hint(name === 'config' ? 'kubectl config' : `kubectl --context berth ${name}`);
};

/** The same for a flag (`--as` or `-k`), with `path` the command it was given to. */
export const kubectlHasFlag = (flag: string, path: string): string | undefined => {
  const known = flags.includes(flag) || (flagsOf[path] ?? '').split(' ').includes(flag);
  return known ? hint(`kubectl --context berth ${path}`) : undefined;
};

/** The same for a command below one of ours: `apply view-last-applied`. */
export const kubectlHasSubcommand = (path: string, word: string): string | undefined =>
  path === 'apply' && /^(view|set|edit)-last-applied$/.test(word)
    ? hint(`kubectl --context berth ${path} ${word}`)
    : undefined;
