// Follows itemChanges with graphql-sse, and prints what happens as lines of JSON. After a lost connection it resumes after the last change
// that it has seen. Arguments: the endpoint; the Authorization header; a cursor; how often to try again (100); after how many events to
// unsubscribe (never).
import { createClient } from 'graphql-sse';

const [url, authorization, from, attempts, enough] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));

const client = createClient({
  url,
  headers: { authorization },
  retryAttempts: Number(attempts || 100),
  retry: () => new Promise((resolve) => setTimeout(resolve, 100)),
  on: { connected: () => say({ connected: true }) },
});

let seen = 0;
const variables = { after: from || null }; // graphql-sse sends the same object again when it reconnects
const query = `subscription ($after: Cursor) { itemChanges(after: $after) { cursor kind revision document } }`;
const unsubscribe = client.subscribe(
  { query, variables },
  {
    next: ({ data, errors }) => {
      if (errors) return say({ errors });
      variables.after = data.itemChanges.cursor;
      say({ event: data.itemChanges });
      if (++seen === Number(enough)) {
        unsubscribe();
        setInterval(() => {}, 60_000); // it is not its end that ends the stream
      }
    },
    error: (error) => say({ error: { status: error.response?.status ?? 0, message: error.message } }),
    complete: () => say({ complete: true }),
  },
);
