// The tabs of a first visit. A test checks the .graphql files against the schema.

import createItem from './create-item.graphql';
import itemChanges from './item-changes.graphql';
import items from './items.graphql';

const newItem = { input: { name: 'Opening keynote', type: 'VIDEO', tags: ['launch'] } };

// GraphiQL ignores the variables of the first tab, so that one has none.
export const tabs = [
  { query: items },
  { query: createItem, variables: JSON.stringify(newItem, null, 2) },
  { query: itemChanges },
];
