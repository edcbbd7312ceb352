/** The documentation's example manifests: each of a kind that Berth has decodes, is defaulted and is valid. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { decodeObject } from '#api/decode.ts';
import { applyDefaults } from '#api/defaults.ts';
import { kindOf } from '#api/kinds.ts';
import type { KubeObject } from '#api/object.ts';
import { validateObject } from '#api/validate.ts';
import { deepCopy } from '#base/deep.ts';

const folder = new URL('../../data/docs-manifests/', import.meta.url);

interface Document {
  readonly file: string;
  readonly json: { apiVersion?: string; kind?: string; metadata?: { name?: string }; items?: unknown };
}

const documents = readdirSync(folder)
  .filter(file => /\.(yaml|json)$/.test(file))
  .flatMap(file =>
    parseAllDocuments(readFileSync(new URL(file, folder), 'utf8'), { version: '1.1' })
      .map(document => ({ file, json: document.toJS() as Document['json'] | null }))
      .filter((document): document is Document => document.json !== null),
  );

// Examples of kinds that Berth does not have yet are passed over.
const ofOurs = documents.flatMap(({ file, json }) => {
  const kind = kindOf(json.apiVersion ?? '', json.kind ?? '');
  return kind === undefined ? [] : [{ file, json, kind, name: `${file} ${json.kind}/${json.metadata?.name}` }];
});

const prepared = ({ json, kind }: (typeof ofOurs)[number]) => {
  const { object, unknownFields } = decodeObject<KubeObject>(kind, deepCopy(json));
  if (kind.namespaced) object.metadata.namespace ??= 'default';
  applyDefaults(kind, object);
  return { object, unknownFields };
};

describe('documentation examples', () => {
  test('there are many of our kinds', () => {
    expect(ofOurs.length).toBeGreaterThan(110);
  });
  test.each(ofOurs)('$name', given => {
    const { object, unknownFields } = prepared(given);
    given.kind.prepareCreate?.(object);
    const causes = validateObject(given.kind, object, undefined).map(cause => `${cause.field}: ${cause.message}`);
    expect([...unknownFields, ...causes]).toEqual([]);
  });
  test.each(ofOurs)('$name: defaults are idempotent', given => {
    const { object } = prepared(given);
    const again = deepCopy(object);
    applyDefaults(given.kind, again);
    expect(again).toEqual(object);
  });
  test.each(ofOurs)('$name: an update that changes nothing is valid', given => {
    const { object } = prepared(given);
    given.kind.prepareCreate?.(object);
    expect(validateObject(given.kind, object, deepCopy(object))).toEqual([]);
  });
});
