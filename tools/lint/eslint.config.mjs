// The recommended rules of graphql-eslint, for the schema and for the operations of the examples and the playground.
import graphql from '@graphql-eslint/eslint-plugin';

const schema = [
  'graph/schema/*.graphqls',
  // gqlgen adds it; the specification of 2021 does not have it.
  'directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT',
];
const documents = ['examples/*/*.mjs', 'internal/web/assets/src/playground/operations/*.graphql'];
const { configs } = graphql;

export default [
  { ignores: ['examples/typed/schema.graphql', 'examples/**/generated/**'] }, // what a server serves, in one file
  { files: ['examples/**/*.mjs'], processor: graphql.processor },
  {
    files: ['**/*.graphql', '**/*.graphqls'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema, documents } } },
    plugins: { '@graphql-eslint': graphql },
  },
  {
    files: ['graph/schema/*.graphqls'],
    rules: {
      ...configs['flat/schema-recommended'].rules,
      // Parts of another object, which clients cannot read alone, have no id.
      '@graphql-eslint/strict-id-in-types': ['error', {
        exceptions: {
          suffixes: ['Payload', 'Connection', 'Edge'],
          types: [
            'Account', 'AccountQuotas', 'AccountUsage', 'DeliveryAttempt', 'DeliveryWorkflow', 'HookFilter',
            'HookMetadataCriterion', 'ItemChange', 'ItemWorkflow', 'PageInfo', 'Tag', 'WorkflowAction',
            'WorkflowActionSettings', 'WorkflowChange', 'WorkflowProfileCheck', 'WorkflowProfileProblem',
            'WorkflowProfileStep', 'WorkflowProfileVersion', 'WorkflowRunAction', 'WorkflowRunTask', 'WorkflowTask',
            'WorkflowUploads',
          ],
        },
      }],
    },
  },
  { files: ['**/*.graphql'], rules: configs['flat/operations-recommended'].rules },
];
