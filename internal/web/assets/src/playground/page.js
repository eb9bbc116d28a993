// What the page passes to its scripts, as data attributes of #playground.

/** The element of the page in which the playground is drawn. */
export const root = document.getElementById('playground');

/** The URL of the GraphQL API. */
export const endpoint = new URL(root.dataset.endpoint, location.href).href;

/** A query that a link brings, after the # of the address; it opens in a tab of its own. Undefined without one. */
export const given = new URLSearchParams(location.hash.slice(1)).get('query') ?? undefined;

/** The path of the start page, below which all other pages are. It ends with a slash. */
export const { home } = root.dataset;
