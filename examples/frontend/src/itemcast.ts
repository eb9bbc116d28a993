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
const ending = 'The token was revoked, or has expired. The owner of this page can give it another one.';
const silence = 45_000; // ms without a message, after which the connection is dead: the server pings every 20 s

// follow calls show after each change of the state. It returns when the server refuses the token.
export async function follow(server: string, token: string, show: (state: State) => void): Promise<void> {
  const authorization = `Bearer ${token}`;
  const state: State = { connection: 'loading', reason: '', items: null, changes: [] };
  const become = (connection: State['connection'], reason = '') => show(Object.assign(state, { connection, reason }));

  let watchdog: ReturnType<typeof setTimeout>;
  let outdated = false; // the token shows other items than when they were listed
  let changes: ReturnType<typeof client.iterate<ResultOf<typeof Changes>>>;
  const client = createClient({
    url: `${server.replace(/^http/, 'ws')}/graphql`,
    connectionParams: { authorization },
    retryAttempts: Infinity,
    retryWait: pause,
    shouldRetry: () => true, // also when no connection can be made, as while the server restarts
    on: {
      connected: () => {
        become('live');
        if (outdated) changes.return?.();
      },
      message: () => {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => client.terminate(), silence);
      },
      closed: (event) => {
        clearTimeout(watchdog);
        outdated ||= (event as CloseEvent).reason === 'Permissions have changed';
        become('away', 'The connection is away, so this may be out of date. Trying again …');
      },
    },
  });

  // get tries again until the server answers.
  async function get(url: string): Promise<{ page: Page; cursor: string | null }> {
    for (let attempts = 0; ; attempts++) {
      const response = await fetch(url, { headers: { authorization } }).catch(() => null);
      const body = await response?.json().catch(() => null); // null: cut off, or not of Itemcast
      if (response?.ok && body?.results) return { page: body, cursor: response.headers.get('Itemcast-Change-Cursor') };
      const said = body?.detail ?? response?.statusText;
      if (response && [401, 403].includes(response.status)) throw new Refused(said);
      // A URL that has never worked may be wrong; later, a proxy may answer while the server restarts.
      const other = response?.status === 404 || (response?.ok && (body || !isJSON(response)));
      if (state.items === null && other) {
        throw new Refused(`${url} answers ${response.status}, not as Itemcast does. Correct VITE_ITEMCAST_URL.`);
      }
      become('away', response ? `${said} Trying again …` : await explain(server));
      await pause(attempts, Number(response?.headers.get('Retry-After') ?? 0) * 1000);
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
    outdated = false;
    show(Object.assign(state, { items }));
    return after;
  }

  // subscribe returns when the items have to be listed again: the log no longer has what follows the cursor, or the
  // token shows other items now.
  async function subscribe(after: string): Promise<void> {
    const variables: VariablesOf<typeof Changes> = { after };
    try {
      changes = client.iterate<ResultOf<typeof Changes>>({ query: print(Changes), variables });
      for await (const { data } of changes) {
        if (!data) continue;
        apply(data.itemChanges);
        variables.after = data.itemChanges.cursor; // from where the client resumes when it reconnects
      }
    } catch (error) {
      const [ended] = Array.isArray(error) ? error : [error]; // errors of GraphQL, or the end of the connection
      if (ended.extensions?.code === 'CURSOR_EXPIRED') return;
      throw new Refused(ended.code === 4401 ? ending : ended.message);
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

const isJSON = ({ headers }: Response) => headers.get('Content-Type')?.includes('json');

// pause waits before an attempt: 0.2 s before the first, number 0, then twice as long each time, up to 10 s, or for as
// long as the server asks. A random part spreads the pages of a server that restarts. The return of the network ends
// the wait.
function pause(number: number, least = 0): Promise<void> {
  const wait = Math.min(200 * 2 ** number, 10_000) * (1 - Math.random() / 2);
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(wait, least));
    addEventListener('online', () => resolve(), { once: true });
  });
}

// explain says why a list cannot be read. A browser tells a page only that a request has failed. So ask in a way that
// every server allows: without seeing the answer.
async function explain(server: string): Promise<string> {
  const there = await fetch(`${server}/api/v1/openapi.json`, { mode: 'no-cors' }).then(() => true, () => false);
  if (!there) return `${server} cannot be reached. Trying again …`;
  const advice = 'Does its token still work, and name this origin? Is VITE_ITEMCAST_URL right?';
  return `${server} does not answer pages of ${location.origin}. ${advice} Trying again …`;
}
