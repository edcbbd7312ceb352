/**
 * Which server to talk to, and as whom: kubectl's rules over one or several kubeconfig files. The first file that has
 * an entry of a name wins; paths in a file are relative to it. What Berth cannot do (exec plugins, basic
 * authentication) is refused by name rather than leading to a puzzling 401.
 */
import { parse, YAMLParseError } from 'yaml';
import { KubeconfigError } from './kubeconfig-edit.ts';

export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** Options of the command line; each absent one is taken from the files. */
export interface Choice {
  readonly context?: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
  readonly server?: string;
  readonly token?: string;
  readonly insecureSkipTlsVerify?: boolean;
}

/** Data that is still to be read: inline base64, or a file. */
export type Source = { readonly base64: string } | { readonly file: string };

export interface Resolved {
  readonly context: string;
  readonly namespace: string;
  readonly server: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly ca?: Source;
  readonly cert?: Source;
  readonly key?: Source;
  readonly insecureSkipTlsVerify: boolean;
  readonly tlsServerName?: string;
}

type Entry = Readonly<Record<string, unknown>>;

interface Found {
  readonly path: string;
  readonly entry: Entry;
}

/** The files' contexts by name with what kubectl shows of them, first file first. */
export const contextNames = (files: readonly ConfigFile[]): string[] => [
  ...new Set(files.flatMap(file => list(read(file), 'contexts').map(entry => String(entry['name'])))),
];

export const currentContext = (files: readonly ConfigFile[]): string => {
  for (const file of files) {
    const current = read(file)['current-context'];
    if (typeof current === 'string' && current !== '') return current;
  }
  return '';
};

/** `resolvePath(file, relative)` joins a path to the folder of a kubeconfig file. */
export const resolve = (
  files: readonly ConfigFile[],
  choice: Choice,
  resolvePath: (file: string, relative: string) => string,
): Resolved => {
  const name = choice.context ?? currentContext(files);
  const context = find(files, 'contexts', name)?.entry ?? (choice.server ? {} : missingContext(files, name));
  const cluster = part(
    files,
    'clusters',
    choice.cluster ?? text(context, 'cluster'),
    name,
    choice.server !== undefined,
  );
  const user = part(files, 'users', choice.user ?? text(context, 'user'), name, choice.token !== undefined);
  refuse(user.entry, cluster.entry, name);
  const server = choice.server ?? text(cluster.entry, 'server');
  if (!server) throw new KubeconfigError(`${cluster.path}: the cluster of context "${name}" has no server`);
  const at = (found: Found, key: string) => source(found, key, resolvePath);
  const tokenFile = text(user.entry, 'tokenFile');
  const token = choice.token ?? (text(user.entry, 'token') || undefined);
  const tlsServerName = text(cluster.entry, 'tls-server-name');
  return {
    context: name,
    namespace: choice.namespace ?? (text(context, 'namespace') || 'default'),
    server,
    ...(token !== undefined ? { token } : tokenFile ? { tokenFile: resolvePath(user.path, tokenFile) } : {}),
    ...given('ca', at(cluster, 'certificate-authority')),
    ...given('cert', at(user, 'client-certificate')),
    ...given('key', at(user, 'client-key')),
    insecureSkipTlsVerify: choice.insecureSkipTlsVerify ?? cluster.entry['insecure-skip-tls-verify'] === true,
    ...given('tlsServerName', tlsServerName || undefined),
  };
};

const missingContext = (files: readonly ConfigFile[], name: string): never => {
  if (name !== '') throw new KubeconfigError(`context "${name}" does not exist`);
  const where =
    files.length === 0 ? 'there is no kubeconfig' : `no current context is set in ${files.map(f => f.path).join(', ')}`;
  throw new KubeconfigError(`${where}: start a cluster with "berth up", or choose one with --context or --kubeconfig`);
};

const read = (file: ConfigFile): Entry => {
  try {
    const value: unknown = parse(file.text) ?? {};
    if (isEntry(value)) return value;
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    const line = error.linePos?.[0].line;
    throw new KubeconfigError(
      `${file.path}: ${line ? `line ${line} is ` : ''}not valid YAML: ${error.message.split('\n')[0]}`,
    );
  }
  throw new KubeconfigError(`${file.path} is not a kubeconfig: it must be a mapping`);
};

const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const list = (config: Entry, key: string): Entry[] => {
  const value = config[key];
  return Array.isArray(value) ? value.filter(isEntry) : [];
};

/** `clusters` → the `cluster` of the entry with that name, and the file it is in. */
const find = (files: readonly ConfigFile[], key: string, name: string): Found | undefined => {
  for (const file of files) {
    const entry = list(read(file), key).find(candidate => candidate['name'] === name);
    const inner = entry?.[key.slice(0, -1)];
    if (entry) return { path: file.path, entry: isEntry(inner) ? inner : {} };
  }
  return undefined;
};

const part = (files: readonly ConfigFile[], key: string, name: string, context: string, optional: boolean): Found => {
  const found = find(files, key, name);
  if (found) return found;
  if (optional || (name === '' && key === 'users')) return { path: '', entry: {} };
  throw new KubeconfigError(`${key.slice(0, -1)} "${name}" of context "${context}" does not exist`);
};

const refuse = (user: Entry, cluster: Entry, context: string): void => {
  const reason = user['exec']
    ? 'its user runs a program for credentials (exec)'
    : user['auth-provider']
      ? 'its user has an auth-provider'
      : user['username']
        ? 'its user has a username and password'
        : user['as']
          ? 'its user impersonates another (as)'
          : cluster['proxy-url']
            ? 'its cluster is behind a proxy (proxy-url)'
            : undefined;
  if (reason) throw new KubeconfigError(`context "${context}" cannot be used by berth: ${reason}; use kubectl for it`);
};

const text = (entry: Entry, key: string): string => {
  const value = entry[key];
  return typeof value === 'string' ? value : '';
};

const source = (
  found: Found,
  key: string,
  resolvePath: (file: string, relative: string) => string,
): Source | undefined => {
  const base64 = text(found.entry, `${key}-data`);
  if (base64 !== '') return { base64 };
  const file = text(found.entry, key);
  return file === '' ? undefined : { file: resolvePath(found.path, file) };
};

const given = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
