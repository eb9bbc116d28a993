// Follows the items that a token shows: lists them over REST, then subscribes to what follows the list over GraphQL.
// Nothing is lost between the two, nor while the connection is away.
import { print } from '@0no-co/graphql.web';
import { initGraphQLTada, type ResultOf, type VariablesOf } from 'gql.tada';
import { createClient } from 'graphql-ws';
import type { components } from './generated/contract';
import type { introspection } from './generated/graphql';

export type Item = components['schemas']['Item'];
type Page = components['schemas']['ItemList'];

// The one JSON value that this page reads is a document: the item, as REST returns it.
const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { Cursor: string; DateTime: string; JSON: Item };
}>();

const Changes = graphql(`
  subscription Changes($after: Cursor) {
    itemChanges(after: $after) { cursor kind revision changedFields occurredAt document }
  }
`);

export type Change = ResultOf<typeof Changes>['itemChanges'];

export interface State {
  connection: 'loading' | 'live' | 'away' | 'refused';
  reason: string; // why it is away or refused
  items: Map<string, Item> | null; // null before the first list
  changes: Change[]; // the latest ones, newest first
}

class Refused extends Error {} // another attempt would be refused too

const shownChanges = 20;
const silence = 45_000; // ms without a message, after which the connection is dead: the server pings every 20 s

// follow calls show after each change of the state. It returns when the server refuses the token.
export async function follow(server: string, token: string, show: (state: State) => void): Promise<void> {
  const authorization = `Bearer ${token}`;
  const state: State = { connection: 'loading', reason: '', items: null, changes: [] };
  const become = (connection: State['connection'], reason = '') => show(Object.assign(state, { connection, reason }));

  let watchdog: ReturnType<typeof setTimeout>;
  const client = createClient({
    url: `${server.replace(/^http/, 'ws')}/graphql`,
    connectionParams: { authorization },
    retryAttempts: Infinity,
    retryWait: pause,
    shouldRetry: () => true, // also when no connection can be made, as while the server restarts
    on: {
      connected: () => become('live'),
      message: () => {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => client.terminate(), silence);
      },
      closed: () => {
        clearTimeout(watchdog);
        become('away', 'The connection is away, so this may be out of date. Trying again …');
      },
    },
  });

  // get tries again until the server answers.
  async function get(url: string): Promise<{ page: Page; cursor: string | null }> {
    for (let attempts = 0; ; attempts++) {
      const response = await fetch(url, { headers: { authorization } }).catch(() => null);
      const body = await response?.json().catch(() => null); // null: cut off, or not of Itemcast
      if (response?.ok && body) return { page: body, cursor: response.headers.get('Itemcast-Change-Cursor') };
      if (response && [401, 403].includes(response.status)) throw new Refused(body?.detail ?? response.statusText);
      become('away', await explain(server));
      await pause(attempts);
    }
  }

  async function list(): Promise<string> {
    const items = new Map<string, Item>();
    let after = ''; // the cursor of the first page
    for (let url: string | null = `${server}/api/v1/items?limit=200`; url; ) {
      const { page, cursor }: Awaited<ReturnType<typeof get>> = await get(url);
      after ||= cursor ?? '';
      for (const item of page.results) items.set(item.id, item);
      url = page.next;
    }
    state.items = items;
    show(state);
    return after;
  }

  // subscribe returns when the log no longer has what follows the cursor.
  async function subscribe(after: string): Promise<void> {
    const variables: VariablesOf<typeof Changes> = { after };
    try {
      for await (const { data } of client.iterate<ResultOf<typeof Changes>>({ query: print(Changes), variables })) {
        if (!data) continue;
        apply(data.itemChanges);
        variables.after = data.itemChanges.cursor; // from where the client resumes when it reconnects
      }
    } catch (error) {
      const ended = Array.isArray(error) ? error[0] : error;
      if (ended.extensions?.code !== 'CURSOR_EXPIRED') throw new Refused(ended.message ?? ended.reason);
    }
  }

  function apply(change: Change): void {
    const { kind, revision, document: item } = change;
    const items = state.items!;
    if (kind === 'TRIGGERED') return;
    if (kind === 'DELETED' || kind === 'LEFT') {
      if (!items.delete(item.id)) return;
    } else {
      if (revision <= (items.get(item.id)?.revision ?? 0)) return; // the list had it already
      items.set(item.id, item);
    }
    state.changes = [change, ...state.changes].slice(0, shownChanges);
    show(state);
  }

  try {
    for (;;) await subscribe(await list());
  } catch (error) {
    become('refused', (error as Error).message);
  }
}

// pause waits before an attempt: 0.2 s before the first, number 0, then twice as long each time, up to 10 s. A random
// part spreads the pages of a server that restarts. The return of the network ends the wait.
function pause(number: number): Promise<void> {
  const longest = Math.min(200 * 2 ** number, 10_000);
  return new Promise((resolve) => {
    setTimeout(resolve, longest * (1 - Math.random() / 2));
    addEventListener('online', () => resolve(), { once: true });
  });
}

// explain says why a list cannot be read. A browser tells a page only that a request has failed, so ask in a way that
// any server allows: without seeing the answer.
async function explain(server: string): Promise<string> {
  const there = await fetch(`${server}/api/v1/openapi.json`, { mode: 'no-cors' }).then(() => true, () => false);
  if (!there) return `${server} cannot be reached. Trying again …`;
  return `${server} does not answer pages of ${location.origin}. Does the token still work, and does it name this origin?
    Trying again …`;
}
