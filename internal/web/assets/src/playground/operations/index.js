// The tabs that a first visit opens with. A test of the schema may read the .graphql files beside this one.

import createItem from './create-item.graphql';
import itemChanges from './item-changes.graphql';
import items from './items.graphql';

const newItem = { input: { name: 'Opening keynote', type: 'VIDEO', tags: ['launch'] } };

// GraphiQL does not fill in the first tab's variables, so the first has none.
export const tabs = [
  { query: items },
  { query: createItem, variables: JSON.stringify(newItem, null, 2) },
  { query: itemChanges },
];
