/**
 * Adds a cluster to the text of a kubeconfig and takes it out again, text to text. Whatever is not ours stays as it is to
 * the byte: comments, order, indentation, quotes, line ends. What was there before is remembered inside our own context
 * entry (as an extension, the place kubeconfig has for such notes), so that taking the cluster out gives the same bytes.
 */
import { isMap, isSeq, type YAMLMap } from 'yaml';
import {
  entryOf,
  KubeconfigError,
  parseKubeconfig,
  sequenceOf,
  sourceOf,
  withEntry,
  withoutEntry,
  withSource,
} from './kubeconfig-text.ts';

export { KubeconfigError };

export interface ClusterEntry {
  /** Of the cluster, the user and the context alike. */
  readonly name: string;
  readonly server: string;
  readonly caPem: string;
  readonly token: string;
  /** Kept in the context, for whoever looks for the cluster when nothing else of it is left. */
  readonly note?: Readonly<Record<string, string>>;
}

const extensionName = 'berth';
const lists = ['clusters', 'contexts', 'users'] as const;

/**
 * The text with the cluster in it and its context current. `file` is for errors; an empty text is a new file. Throws
 * KubeconfigError when entries of that name are there that are not ours.
 */
export const withCluster = (
  text: string,
  entry: ClusterEntry,
  toBase64: (text: string) => string,
  file: string,
): string => {
  const map = parseKubeconfig(text, file);
  const known = entryOf(map, 'contexts', entry.name);
  if (!isOurs(known)) {
    const foreign = lists.find(list => isForeign(entryOf(map, list, entry.name), entry, toBase64));
    if (foreign !== undefined)
      throw new KubeconfigError(
        `${file} has an entry "${entry.name}" in its ${foreign} that is not of Berth; name another context with --context`,
      );
  }
  const memory = memoryOf(text, map, entry, known);
  const parts = partsOf(entry, toBase64, memory);
  if (!map) return (text.trim() === '' || text.endsWith('\n') ? text : `${text}\n`) + freshText(parts, entry.name);
  let edited = text;
  for (const list of lists) {
    edited = withoutEntry(edited, list, entry.name, ' []');
    const part = parts[list];
    edited = withEntry(edited, list, indent => `${indent}- ${yamlText(part, `${indent}  `)}`, JSON.stringify(part));
  }
  return withSource(edited, 'current-context', ` ${map.flow ? JSON.stringify(entry.name) : scalarText(entry.name)}`);
};

/** An entry is somebody else's unless it is the cluster or the user that we are about to write: a context may be deleted alone. */
const isForeign = (found: YAMLMap | undefined, entry: ClusterEntry, toBase64: (text: string) => string): boolean =>
  found !== undefined &&
  found.getIn(['cluster', 'certificate-authority-data']) !== toBase64(entry.caPem) &&
  found.getIn(['user', 'token']) !== entry.token;

export interface Removal {
  readonly text: string;
  /** False: no such cluster was in it (the text is unchanged). */
  readonly removed: boolean;
  /** We made the file, and nothing is left in it that a user put there. */
  readonly empty: boolean;
}

/**
 * The text without the cluster, its user and context; when that context was current, the one before it is again
 * (if it still exists). With `server` the entries stay when they now belong to another server; without, they must be ours.
 */
export const withoutCluster = (text: string, name: string, server: string | undefined, file: string): Removal => {
  const map = parseKubeconfig(text, file);
  const cluster = entryOf(map, 'clusters', name);
  const context = entryOf(map, 'contexts', name);
  const owned = server === undefined ? isOurs(context) : cluster?.getIn(['cluster', 'server']) === server;
  if (!map || !owned) return { text, removed: false, empty: false };
  const created = noted(context, 'created-file') === true;
  const before = (key: string): string | null | undefined => beforeOf(context, key);
  const wasCurrent = map.get('current-context') === name;
  let edited = text;
  for (const list of lists) {
    const source = before(list);
    edited = withoutEntry(edited, list, name, source === undefined ? ' []' : source);
  }
  if (wasCurrent) edited = withSource(edited, 'current-context', previousSource(map, context));
  const left = parseKubeconfig(edited, file);
  const used = lists.some(list => sequenceOf(left, list)?.items.length);
  return { text: edited, removed: true, empty: created && !used && !/^\s*#/m.test(edited) };
};

/** A cluster of Berth's that is in a kubeconfig. */
export interface NotedCluster {
  readonly name: string;
  readonly server: string | undefined;
  readonly note: Readonly<Record<string, string>>;
}

/** The clusters whose contexts we made. */
export const notedClusters = (text: string, file: string): readonly NotedCluster[] => {
  const map = parseKubeconfig(text, file);
  return (sequenceOf(map, 'contexts')?.items ?? []).flatMap(item => {
    if (!isMap(item) || !isOurs(item as YAMLMap)) return [];
    const name = String(item.get('name'));
    const server = entryOf(map, 'clusters', name)?.getIn(['cluster', 'server']);
    const note = noted(item as YAMLMap, 'note') as { toJSON?: () => Record<string, string> } | undefined;
    return [{ name, server: typeof server === 'string' ? server : undefined, note: note?.toJSON?.() ?? {} }];
  });
};

/** What our context remembers of the file as it was. */
interface Memory {
  readonly 'previous-context': string;
  readonly 'created-file': boolean;
  /** Sources of values that had to be changed otherwise than by an entry more; null: the key was not there. */
  readonly before: Readonly<Record<string, string | null>>;
}

const memoryOf = (text: string, map: YAMLMap | undefined, entry: ClusterEntry, known: YAMLMap | undefined): Memory => {
  const current = map?.get('current-context');
  const before: Record<string, string | null> = {};
  for (const list of lists) {
    const remembered = beforeOf(known, list);
    if (remembered !== undefined) before[list] = remembered;
    else if (map && !entryOf(map, list, entry.name) && !sequenceOf(map, list)?.items.length)
      before[list] = sourceOf(text, map, list);
  }
  const again = current === entry.name;
  const source = again ? beforeOf(known, 'current-context') : map && sourceOf(text, map, 'current-context');
  if (source !== undefined) before['current-context'] = source;
  const previous = again ? noted(known, 'previous-context') : current;
  return {
    before,
    'created-file': text.trim() === '' || noted(known, 'created-file') === true,
    'previous-context': typeof previous === 'string' ? previous : '',
  };
};

/** The value of current-context as it was, if its context is still there. */
const previousSource = (map: YAMLMap, context: YAMLMap | undefined): string | null => {
  const previous = noted(context, 'previous-context');
  const source = beforeOf(context, 'current-context');
  const gone = typeof previous !== 'string' || (previous !== '' && !entryOf(map, 'contexts', previous));
  if (gone) return ' ""';
  if (source !== undefined) return source;
  return ` ${map.flow || previous === '' ? JSON.stringify(previous) : scalarText(previous)}`;
};

const isOurs = (context: YAMLMap | undefined): boolean => extensionOf(context) !== undefined;

const extensionOf = (context: YAMLMap | undefined): YAMLMap | undefined => {
  const extensions = context?.getIn(['context', 'extensions'], true);
  if (!isSeq(extensions)) return undefined;
  return extensions.items.find((item): item is YAMLMap => isMap(item) && item.get('name') === extensionName);
};

const noted = (context: YAMLMap | undefined, key: string): unknown => extensionOf(context)?.getIn(['extension', key]);

const beforeOf = (context: YAMLMap | undefined, key: string): string | null | undefined => {
  const before = noted(context, 'before');
  if (!isMap(before) || !before.has(key)) return undefined;
  const source = before.get(key);
  return typeof source === 'string' ? source : null;
};

type Tree = { readonly [key: string]: string | boolean | null | Tree | readonly Tree[] };

/** The entries of the three lists, with the keys in the order in which kubectl writes them. */
const partsOf = (
  { name, server, caPem, token, note }: ClusterEntry,
  toBase64: (text: string) => string,
  memory: Memory,
): Readonly<Record<(typeof lists)[number], Tree>> => {
  const { before, ...rest } = memory;
  const extension = { ...(Object.keys(before).length > 0 ? { before } : {}), ...rest, ...(note ? { note } : {}) };
  return {
    clusters: { cluster: { 'certificate-authority-data': toBase64(caPem), server }, name },
    contexts: { context: { cluster: name, extensions: [{ extension, name: extensionName }], user: name }, name },
    users: { name, user: { token } },
  };
};

const freshText = (parts: ReturnType<typeof partsOf>, name: string): string => {
  const list = (key: (typeof lists)[number]) => `${key}:\n- ${yamlText(parts[key], '  ')}\n`;
  const [clusters, contexts, users] = lists.map(list);
  return `apiVersion: v1\n${clusters}${contexts}current-context: ${scalarText(name)}\nkind: Config\npreferences: {}\n${users}`;
};

/** A mapping in block style; its first line stands where the caller is, the others at `indent`. */
const yamlText = (tree: Tree, indent: string): string =>
  Object.entries(tree)
    .map(([key, value]) => {
      if (typeof value === 'string') return `${key}: ${scalarText(value)}`;
      if (typeof value !== 'object' || value === null) return `${key}: ${value}`;
      if (!Array.isArray(value)) return `${key}:\n${indent}  ${yamlText(value as Tree, `${indent}  `)}`;
      return `${key}:${(value as readonly Tree[]).map(item => `\n${indent}- ${yamlText(item, `${indent}  `)}`).join('')}`;
    })
    .join(`\n${indent}`);

/** A string as it is where YAML reads it back as the same string, else in quotes. */
const scalarText = (text: string): string =>
  /^(?!(?:true|false|null|yes|no|on|off|y|n)$)[A-Za-z][\w./:@=+-]*$/i.test(text) && !text.endsWith(':')
    ? text
    : JSON.stringify(text);
