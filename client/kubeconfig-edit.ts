/**
 * Adds a cluster to the text of a kubeconfig and takes it out again, text to text. Comments, order and everything that
 * is not ours stay as they are. The context that was current before is remembered inside our own context entry (as an
 * extension, the place kubeconfig has for such notes), so that it can be made current again.
 */
import { Document, isMap, isSeq, LineCounter, parseDocument, type YAMLMap, YAMLSeq } from 'yaml';

/** What a user must mend in a kubeconfig file. */
export class KubeconfigError extends Error {
  override name = 'KubeconfigError';
}

export interface ClusterEntry {
  /** Of the cluster, the user and the context alike. */
  readonly name: string;
  readonly server: string;
  readonly caPem: string;
  readonly token: string;
}

const extensionName = 'berth';

/** The text with the cluster in it and its context current. `file` is for errors; an empty text is a new file. */
export const withCluster = (
  text: string,
  entry: ClusterEntry,
  toBase64: (text: string) => string,
  file: string,
): string => {
  const document = parse(text, file);
  const known = entryOf(document, 'contexts', entry.name);
  const current = document.get('current-context');
  const created = text.trim() === '' || noted(known, 'created-file') === true;
  const remembered = current === entry.name ? rememberedIn(known) : typeof current === 'string' ? current : '';
  setEntry(document, 'clusters', entry.name, {
    cluster: { 'certificate-authority-data': toBase64(entry.caPem), server: entry.server },
  });
  setEntry(document, 'contexts', entry.name, {
    context: {
      cluster: entry.name,
      user: entry.name,
      extensions: [{ name: extensionName, extension: { 'previous-context': remembered, 'created-file': created } }],
    },
  });
  setEntry(document, 'users', entry.name, { user: { token: entry.token } });
  document.set('current-context', entry.name);
  return print(document);
};

export interface Removal {
  readonly text: string;
  /** False: no such cluster was in it (the text is unchanged). */
  readonly removed: boolean;
  /** We made the file, and nothing is left in it that a user put there. */
  readonly empty: boolean;
}

/**
 * The text without the cluster, its user and context; when that context was current, the one before it is again
 * (if it still exists). With `server` the entries stay when they now belong to another server.
 */
export const withoutCluster = (text: string, name: string, server: string | undefined, file: string): Removal => {
  const document = parse(text, file);
  const cluster = entryOf(document, 'clusters', name);
  const owned = server === undefined || cluster?.getIn(['cluster', 'server']) === server;
  const context = entryOf(document, 'contexts', name);
  if (!owned || (!cluster && !context)) return { text, removed: false, empty: false };
  const previous = rememberedIn(context);
  const created = noted(context, 'created-file') === true;
  for (const list of ['clusters', 'contexts', 'users']) removeEntry(document, list, name);
  if (document.get('current-context') === name) {
    document.set('current-context', entryOf(document, 'contexts', previous) ? previous : '');
  }
  const left = ['clusters', 'contexts', 'users'].some(list => sequence(document, list)?.items.length);
  return {
    text: print(document),
    removed: true,
    empty: created && !left && !document.commentBefore && !document.comment,
  };
};

const parse = (text: string, file: string): Document.Parsed | Document => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, keepSourceTokens: false });
  const [error] = document.errors;
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    throw new KubeconfigError(`${file}: line ${line} is not valid YAML: ${error.message.split('\n')[0]}`);
  }
  if (document.contents === null) {
    const fresh = new Document({ apiVersion: 'v1', kind: 'Config', preferences: {} });
    if (document.commentBefore) fresh.commentBefore = document.commentBefore;
    return fresh;
  }
  if (!isMap(document.contents)) throw new KubeconfigError(`${file} is not a kubeconfig: it must be a mapping`);
  return document;
};

const print = (document: Document): string => document.toString({ lineWidth: 0 });

const sequence = (document: Document, list: string): YAMLSeq | undefined => {
  const node = document.get(list, true);
  return isSeq(node) ? node : undefined;
};

const entryOf = (document: Document, list: string, name: string): YAMLMap | undefined =>
  sequence(document, list)?.items.find((item): item is YAMLMap => isMap(item) && item.get('name') === name);

const setEntry = (document: Document, list: string, name: string, value: object): void => {
  let items = sequence(document, list);
  if (!items) {
    items = new YAMLSeq();
    document.set(list, items);
  }
  const node = document.createNode({ name, ...value });
  const at = items.items.findIndex(item => isMap(item) && item.get('name') === name);
  if (at < 0) items.items.push(node);
  else items.items[at] = node;
  // An empty list is usually written as []; what is added to it should be readable.
  items.flow = items.flow === true && items.items.length > 1;
};

const removeEntry = (document: Document, list: string, name: string): void => {
  const items = sequence(document, list);
  if (!items) return;
  items.items = items.items.filter(item => !(isMap(item) && item.get('name') === name));
  if (items.items.length === 0) items.flow = true;
};

const rememberedIn = (context: YAMLMap | undefined): string => {
  const previous = noted(context, 'previous-context');
  return typeof previous === 'string' ? previous : '';
};

/** What `withCluster` noted in the extension of our context. */
const noted = (context: YAMLMap | undefined, key: string): unknown => {
  const extensions = context?.getIn(['context', 'extensions'], true);
  if (!isSeq(extensions)) return undefined;
  const ours = extensions.items.find(item => isMap(item) && item.get('name') === extensionName);
  return isMap(ours) ? ours.getIn(['extension', key]) : undefined;
};
