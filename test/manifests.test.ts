import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { decodeObject } from '#api/decode.ts';
import type { Pod } from '#api/kinds/core.ts';
import { kindOf } from '#api/kinds.ts';
import type { KubeObject } from '#api/object.ts';
import { imageSets } from '#setup/image-recipes.ts';

const folder = join(import.meta.dirname, '..', 'manifests');
const files = readdirSync(folder).filter(name => name.endsWith('.yaml'));
const documents = (file: string): KubeObject[] =>
  parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map(document => document.toJS() as KubeObject);

describe.each(files)('manifests/%s', file => {
  test('says in a comment what it shows', () => {
    expect(readFileSync(join(folder, file), 'utf8')).toMatch(/^# \S/);
  });

  test('is understood whole, and asks for nothing that is not acted on', () => {
    for (const document of documents(file)) {
      const kind = kindOf(document.apiVersion, document.kind);
      expect(kind, `${document.apiVersion} ${document.kind}`).toBeDefined();
      const { object, unknownFields } = decodeObject(kind!, document);
      expect(unknownFields).toEqual([]);
      expect(kind!.unsupported?.(object) ?? { warnings: [], refusals: [] }).toEqual({ warnings: [], refusals: [] });
    }
  });

  test('runs images that the demo brings, without asking a registry for them again', () => {
    const known = imageSets.demo.flatMap(recipe => recipe.references);
    for (const pod of documents(file).filter((object): object is Pod => object.kind === 'Pod')) {
      for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
        expect(known).toContain(container.image?.includes(':') ? container.image : `${container.image}:latest`);
        expect(container.imagePullPolicy).toBe('IfNotPresent');
      }
    }
  });
});
