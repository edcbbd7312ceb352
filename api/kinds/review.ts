/** The bodies of reviews: what a user asks the server about itself. They are answered and kept nowhere, so they are no kinds. */
import type { Static } from 'typebox';
import { field, listOf, objectSchema, string, struct } from '#api/schema.ts';
import { objectMetaSchema } from './meta.ts';

const authorization = (name: string) => `io.k8s.api.authorization.v1.${name}`;

const selectorAttributesSchema = (name: string) =>
  struct(
    authorization(name),
    'The selector of a list, a watch or a deletion of many.',
    {},
    {
      rawSelector: string('The selector as it stands in the query.'),
      requirements: listOf(
        struct(
          authorization(`${name}Requirement`),
          'One requirement of the selector.',
          {},
          {
            key: string('What is compared.'),
            operator: string('How.'),
            values: listOf(string('A value.'), 'With what.'),
          },
        ),
        'The selector taken apart.',
      ),
    },
  );

const resourceAttributesSchema = struct(
  authorization('ResourceAttributes'),
  'An action on a resource.',
  {},
  {
    namespace: string('Namespace; empty for all, or for none.'),
    verb: string('What is to be done, such as get; * is everything.'),
    group: string('Group of the resource.'),
    version: string('Version of the resource.'),
    resource: string('Plural name of the resource.'),
    subresource: string('Part of the resource.'),
    name: string('Name of the object; empty for all.'),
    fieldSelector: field(selectorAttributesSchema('FieldSelectorAttributes'), 'Which of them, by fields.'),
    labelSelector: field(selectorAttributesSchema('LabelSelectorAttributes'), 'Which of them, by labels.'),
  },
);

const nonResourceAttributesSchema = struct(
  authorization('NonResourceAttributes'),
  'A request that is for no resource.',
  {},
  { path: string('Path of the URL.'), verb: string('The HTTP method in lower case.') },
);

const form = { group: 'authorization.k8s.io', version: 'v1' } as const;
const metadata = objectMetaSchema;

const accessReview = { ...form, kind: 'SelfSubjectAccessReview', title: authorization('SelfSubjectAccessReview') };
const accessReviewSchema = objectSchema(accessReview, 'Asks whether the user may do something.', {
  metadata,
  always: {
    spec: struct(
      authorization('SelfSubjectAccessReviewSpec'),
      'What is asked; one of the two.',
      {},
      {
        resourceAttributes: field(resourceAttributesSchema, 'An action on a resource.'),
        nonResourceAttributes: field(nonResourceAttributesSchema, 'Another request.'),
      },
    ),
  },
});
export interface SelfSubjectAccessReview extends Static<typeof accessReviewSchema> {}

const rulesReview = { ...form, kind: 'SelfSubjectRulesReview', title: authorization('SelfSubjectRulesReview') };
const rulesReviewSchema = objectSchema(rulesReview, 'Asks what the user may do in a namespace.', {
  metadata,
  always: {
    spec: struct(
      authorization('SelfSubjectRulesReviewSpec'),
      'What is asked.',
      {},
      { namespace: string('The namespace.') },
    ),
  },
});
export interface SelfSubjectRulesReview extends Static<typeof rulesReviewSchema> {}

const subjectReview = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  title: 'io.k8s.api.authentication.v1.SelfSubjectReview',
} as const;

export const reviewForms = {
  access: { ...accessReview, schema: accessReviewSchema },
  rules: { ...rulesReview, schema: rulesReviewSchema },
  subject: {
    ...subjectReview,
    schema: objectSchema(subjectReview, 'Asks who the user is.', { metadata }),
  },
};
