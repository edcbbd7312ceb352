/** A cluster put into a kubeconfig and taken out again: the same bytes, whatever style the file is in. */
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { KubeconfigError, notedClusters, withCluster, withoutCluster } from '#client/kubeconfig-edit.ts';

const toBase64 = (text: string) => Buffer.from(text).toString('base64');
const entry = { name: 'berth', server: 'https://127.0.0.1:1', caPem: 'PEM', token: 't.1-a' };
const added = (text: string, more: Partial<typeof entry> & { note?: Record<string, string> } = {}) =>
  withCluster(text, { ...entry, ...more }, toBase64, 'file');

const kubectls = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: QUJD
    server: https://1.2.3.4:6443   # prod
  name: prod
- cluster: {server: "https://x", insecure-skip-tls-verify: true}
  name: 'dev'
contexts:
- context:
    cluster: prod
    namespace:   team-a
    user: admin
  name: prod
current-context: prod
kind: Config

preferences: {}
users:
- name: admin
  user:
    token: "012"
    # a comment at the end of the last entry
# and one behind it
`;
const json = parse(kubectls) as object;

const files: readonly (readonly [string, string])[] = [
  ['as kubectl writes it, with comments', kubectls],
  ['with Windows line ends', kubectls.replaceAll('\n', '\r\n')],
  ['without a line end at the end', kubectls.trimEnd()],
  ['indented lists', 'clusters:\n    - name: a\n      cluster: {server: x}\ncontexts: []\nusers: []\n'],
  ['lists that are null, as kubectl leaves them', 'clusters: null\ncontexts: null\ncurrent-context: ""\nusers: null\n'],
  ['lists without a value, with comments', 'clusters: [] # none\ncontexts:\nusers: ~\n'],
  ['no lists at all', 'apiVersion: v1\nkind: Config\n'],
  ['no lists and no line end', 'apiVersion: v1\nkind: Config'],
  ['a document start', '---\napiVersion: v1\nclusters: []\n'],
  [
    'lists in brackets',
    'clusters: [{name: a, cluster: {server: x}}]\ncontexts: [\n {name: a, context: {}} ]\nusers: []\n',
  ],
  ['a quoted current context with a comment', 'current-context: "w" # mine\ncontexts:\n- {name: w, context: {}}\n'],
  [
    'comments between entries',
    'clusters:\n# first\n- name: a # x\n  cluster:\n    server: y # z\n    # trailing\n# next\n',
  ],
  ['anchors', 'x: &a {server: s}\nclusters:\n- name: w\n  cluster: *a\n'],
  ['JSON over several lines', JSON.stringify(json, null, 2)],
  ['JSON on one line', JSON.stringify(json)],
  ['empty JSON', '{}'],
  ['JSON with empty lists', '{"clusters": null, "contexts": [], "users": []}'],
];

describe('a kubeconfig', () => {
  test.each(files)('%s: holds the cluster and comes back to the byte', (_, text) => {
    const once = added(text);
    const read = parse(once) as Record<string, { name: string; cluster?: object; user?: object }[]>;
    expect(read['current-context']).toBe('berth');
    expect(read['clusters']).toContainEqual({
      name: 'berth',
      cluster: { server: entry.server, 'certificate-authority-data': toBase64('PEM') },
    });
    expect(read['users']).toContainEqual({ name: 'berth', user: { token: 't.1-a' } });
    if (text.startsWith('{')) expect(() => JSON.parse(once)).not.toThrow();
    // Put in once more, as after a crash, with another port.
    const again = added(once, { server: 'https://127.0.0.1:2' });
    expect(withoutCluster(again, 'berth', entry.server, 'file')).toEqual({ text: again, removed: false, empty: false });
    for (const edited of [once, again]) {
      expect(withoutCluster(edited, 'berth', undefined, 'file')).toEqual({ text, removed: true, empty: false });
    }
  });

  test('every line that was there is there meanwhile', () => {
    const meanwhile = added(kubectls).split('\n');
    for (const line of kubectls.split('\n')) if (line !== 'current-context: prod') expect(meanwhile).toContain(line);
  });

  test('that we made is known as ours when nothing else is in it', () => {
    expect(withoutCluster(added(''), 'berth', undefined, 'file')).toMatchObject({ removed: true, empty: true });
    const used = added('').replace('clusters:\n', 'clusters:\n- name: mine\n  cluster: {server: x}\n');
    expect(withoutCluster(used, 'berth', undefined, 'file')).toMatchObject({ removed: true, empty: false });
  });

  test.each([
    ['contexts', 'contexts:\n- name: berth\n  context: {cluster: x}\n'],
    ['clusters', 'clusters:\n- name: berth\n  cluster: {server: x}\n'],
    ['users', 'users: [{name: berth, user: {token: x}}]\n'],
  ])('with somebody else’s %s of the name is left alone', (list, text) => {
    expect(() => added(text)).toThrow(KubeconfigError);
    expect(() => added(text)).toThrow(`"berth" in its ${list} that is not of Berth`);
    expect(withoutCluster(text, 'berth', undefined, 'file').removed).toBe(false);
    expect(withoutCluster(text, 'berth', entry.server, 'file').removed).toBe(false);
  });

  test('whose context was deleted alone gets it again', () => {
    const text = added(kubectls);
    const context = text.slice(
      text.indexOf('contexts:\n') + 'contexts:\n'.length,
      text.indexOf('- context:\n    cluster: prod'),
    );
    const deleted = text.replace(context, '');
    expect(withoutCluster(deleted, 'berth', undefined, 'file').removed).toBe(false);
    expect(notedClusters(added(deleted), 'file')).toHaveLength(1);
  });

  test('what is noted of a cluster is found again, also after kubectl has rewritten the file', () => {
    const note = { data: '/tmp/a b', cluster: '12e4' };
    const found = [{ name: 'berth', server: entry.server, note }];
    const text = added(kubectls, { note });
    expect(notedClusters(text, 'file')).toEqual(found);
    expect(notedClusters(JSON.stringify(parse(text)), 'file')).toEqual(found);
    expect(notedClusters(kubectls, 'file')).toEqual([]);
  });

  test('words that YAML reads as something else are quoted', () => {
    for (const name of ['true', 'Null', '1', '1e3', 'a: b', 'x#y', 'n'])
      expect(parse(added('', { name, token: name }))).toMatchObject({
        'current-context': name,
        users: [{ name, user: { token: name } }],
      });
  });
});
