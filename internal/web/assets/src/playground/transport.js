// Sends operations to the API: queries and mutations over HTTP, subscriptions over one WebSocket.

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { getOperationAST } from 'graphql';
import { createClient } from 'graphql-ws';
import { home } from './page.js';

// The close code with which the server refuses credentials.
const REFUSED = 4401;

/**
 * Returns a fetcher for GraphiQL, and `close`, to be called before another identity takes over.
 * `onRefused` is called when the server refuses a request without credentials, or with wrong ones.
 */
export function createTransport({ endpoint, identity, onRefused }) {
  const sockets = createClient({
    url: endpoint.replace(/^http/, 'ws'),
    connectionParams: () => (identity ? { authorization: identity.authorization } : {}),
    // A new connection would begin with the next change and miss earlier ones, so the user sees that this one broke.
    retryAttempts: 0,
    on: {
      closed: (event) => {
        if (event.code === REFUSED) onRefused();
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
        throw plain('You are not signed in. Sign in and run the operation again.');
      }
      if (!/json/.test(response.headers.get('content-type') ?? '')) {
        const status = `${response.status} ${response.statusText}`.trim();
        throw plain(`The server answered ${status}, which is not JSON.`);
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

/** Returns the events of a subscription. GraphiQL calls `return` to stop it. */
function subscribe(sockets, request) {
  const events = sockets.iterate(request);
  return {
    next: () => events.next().catch((error) => { throw readable(error); }),
    return: () => events.return(),
    [Symbol.asyncIterator]() { return this; },
  };
}

function readable(error) {
  if (!(error instanceof CloseEvent)) return error; // the server's, about the operation
  if (error.code === REFUSED) return plain('You are not signed in. Sign in and run the operation again.');
  return plain(`The connection was closed: ${error.reason || 'no reason given'} (${error.code}).`);
}

/** Returns the e-mail address of the user of the browser's session; '' when nobody is signed in. */
export async function fetchBrowserUser() {
  try {
    const headers = { accept: 'application/json', 'x-requested-with': 'XMLHttpRequest' };
    const response = await fetch(`${home}api/v1/me`, { headers });
    return response.ok ? (await response.json()).email : '';
  } catch {
    return ''; // the server is down; the next operation reports it
  }
}

/** Ends the browser's session, on all pages. Returns the e-mail address of its user if that failed, or else ''. */
export async function endBrowserSession() {
  await fetch(`${home}logout`, { method: 'POST', body: new URLSearchParams() }).catch(() => {});
  return fetchBrowserUser();
}

/** Checks credentials with the server. Returns '' if it accepts them, or else a text for the user. */
export async function checkIdentity(endpoint, identity) {
  const body = JSON.stringify({ query: '{ __typename }' });
  const headers = { 'content-type': 'application/json' };
  let response;
  try {
    response = await send(endpoint, { method: 'POST', body, headers }, identity);
  } catch {
    return 'The server cannot be reached. Try again.';
  }
  if (response.ok) return '';
  if (response.status === 401) return 'The email or the password is wrong.';
  if (response.status === 403) return 'You need the permission api.access to use the API.';
  if (response.status === 429) return 'There were too many attempts. Wait a minute and try again.';
  return `The server answered ${response.status}. Try again.`;
}

function send(url, init, identity) {
  const headers = new Headers(init.headers);
  // Asks the server to leave out WWW-Authenticate, which would make the browser open its own password box.
  headers.set('x-requested-with', 'XMLHttpRequest');
  if (identity && !headers.has('authorization')) headers.set('authorization', identity.authorization);
  // The browser's own cookie or password counts only while nobody is signed in on this page.
  return fetch(url, { ...init, headers, credentials: identity ? 'omit' : 'same-origin' });
}

/** An error without the stack, which GraphiQL would show in the response. */
function plain(message) {
  const error = new Error(message);
  delete error.stack;
  return error;
}
