/** The kind of group scheduling.k8s.io: PriorityClass. */
import type { Static } from 'typebox';
import { priorityClassColumns } from '#api/columns/scheduling.ts';
import { allVerbs, type Kind } from '#api/kind.ts';
import { bool, int32, objectSchema, openEnum, string } from '#api/schema.ts';
import { validatePriorityClass } from '#api/validate-kinds.ts';
import { objectMetaSchema } from './meta.ts';

export const priorityClassSchema = objectSchema(
  {
    group: 'scheduling.k8s.io',
    version: 'v1',
    kind: 'PriorityClass',
    title: 'io.k8s.api.scheduling.v1.PriorityClass',
  },
  'A name for a priority of pods.',
  {
    metadata: objectMetaSchema,
    always: { value: int32('The priority; a higher one comes first. Cannot be changed.') },
    optional: {
      globalDefault: bool('True: pods that name no class get this one.'),
      description: string('What the class is for.'),
      preemptionPolicy: openEnum<'PreemptLowerPriority' | 'Never'>(
        'Whether its pods may push out pods of lower priority.',
        { default: 'PreemptLowerPriority' },
      ),
    },
  },
);
export interface PriorityClass extends Static<typeof priorityClassSchema> {}

export const priorityClassKind: Kind<PriorityClass> = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  schema: priorityClassSchema,
  columns: priorityClassColumns,
  selectable: {},
  hasStatus: false,
  hasGeneration: true,
  subresources: [],
  defaults: priorityClass => {
    priorityClass.value ??= 0;
  },
  validate: validatePriorityClass,
};
