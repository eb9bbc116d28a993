// How the playground talks to the API: HTTP for queries and mutations, one WebSocket for subscriptions.

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { getOperationAST } from 'graphql';
import { createClient } from 'graphql-ws';

// graphql-transport-ws: 4401 is "not initialised", 4403 is "connection_init refused".
const REFUSED = new Set([4401, 4403]);

/**
 * A fetcher for GraphiQL, and `close` for when another identity takes over.
 * `onRefused` is called when the server wants (other) credentials.
 */
export function createTransport({ endpoint, identity, onRefused }) {
  const sockets = createClient({
    url: endpoint.replace(/^http/, 'ws'),
    connectionParams: () => (identity ? { authorization: identity.authorization } : {}),
    // A new connection would start from now and miss what happened in between: better to show that it broke.
    retryAttempts: 0,
    on: {
      closed: (event) => {
        if (REFUSED.has(event.code)) onRefused();
      },
    },
  });

  const post = createGraphiQLFetcher({
    url: endpoint,
    enableIncrementalDelivery: false, // the API has no @defer
    fetch: async (url, init) => {
      const response = await send(url, init, identity);
      if (response.status === 401) {
        onRefused();
        throw plain('Not signed in.');
      }
      if (!/json/.test(response.headers.get('content-type') ?? '')) {
        throw plain(`The server answered ${response.status} ${response.statusText}`.trim() + ', and not in JSON.');
      }
      return response;
    },
  });

  const fetcher = (request, options) => {
    const operation = options?.documentAST && getOperationAST(options.documentAST, request.operationName);
    return operation?.operation === 'subscription' ? subscribe(sockets, request) : post(request, options);
  };

  return { fetcher, close: () => sockets.dispose() };
}

/** The events of a subscription. GraphiQL calls `return` to stop it. */
function subscribe(sockets, request) {
  const events = sockets.iterate(request);
  return {
    next: () => events.next().catch((error) => { throw readable(error); }),
    return: () => events.return(),
    [Symbol.asyncIterator]() { return this; },
  };
}

function readable(error) {
  if (!(error instanceof CloseEvent)) return error; // what the server said of the operation
  if (REFUSED.has(error.code)) return plain('Not signed in.');
  return plain(`The connection was closed: ${error.reason || 'no reason given'} (${error.code}).`);
}

/** The email of whom the browser has signed in on /login; '' for nobody. */
export async function whoTheBrowserIs() {
  try {
    const response = await fetch('/api/v1/me', { headers: { accept: 'application/json', 'x-requested-with': 'XMLHttpRequest' } });
    return response.ok ? (await response.json()).email : '';
  } catch {
    return ''; // the server is away: a request will tell
  }
}

/** Signs the browser out, here and on all other pages. */
export async function endBrowserSession() {
  await fetch('/logout', { method: 'POST', body: new URLSearchParams() }).catch(() => {});
  return whoTheBrowserIs();
}

/** Asks the server whether it takes these credentials. Returns '' if so, or else what to tell the person. */
export async function checkIdentity(endpoint, identity) {
  let response;
  try {
    const body = JSON.stringify({ query: '{ __typename }' });
    response = await send(endpoint, { method: 'POST', body, headers: { 'content-type': 'application/json' } }, identity);
  } catch {
    return 'The server cannot be reached.';
  }
  if (response.ok) return '';
  if (response.status === 401) return 'The email or the password is wrong.';
  if (response.status === 403) return 'This user may not use the API.';
  if (response.status === 429) return 'Too many attempts. Wait a little and try again.';
  return `The server answered ${response.status}. Try again.`;
}

function send(url, init, identity) {
  const headers = new Headers(init.headers);
  // Asks the server to leave out WWW-Authenticate, which would make the browser open its own password box.
  headers.set('x-requested-with', 'XMLHttpRequest');
  if (identity && !headers.has('authorization')) headers.set('authorization', identity.authorization);
  // One identity at a time: the browser's own cookie or password only where nobody signed in on this page.
  return fetch(url, { ...init, headers, credentials: identity ? 'omit' : 'same-origin' });
}

/** An error without the stack, which GraphiQL would show in the response. */
function plain(message) {
  const error = new Error(message);
  delete error.stack;
  return error;
}
