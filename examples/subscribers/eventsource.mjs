// Follows changes with the npm package eventsource, as a browser's EventSource does, and resumes by Last-Event-ID
// alone. It prints each connection ("open"), the revision and the cursor of each change, and the reason when a
// subscription ends.
//
//     make clients                                                              # installs the packages, once
//     node examples/subscribers/eventsource.mjs http://127.0.0.1:8080/api/v1/changes EMAIL:PASSWORD
//
// It follows a GraphQL subscription too: the URL is then …/graphql?query=…
import { EventSource } from 'eventsource';

const [url, credentials] = process.argv.slice(2);
const authorization = 'Basic ' + Buffer.from(credentials).toString('base64');

const source = new EventSource(url, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, authorization } }),
});
source.onopen = () => console.log('open');

// /api/v1/changes sends each change as a message.
source.onmessage = (event) => console.log(JSON.parse(event.data).document.revision, event.lastEventId);

// A GraphQL subscription sends results as "next", and "complete" after errors.
source.addEventListener('next', (event) => {
  const { data, errors } = JSON.parse(event.data);
  if (errors) console.log(errors[0].extensions.code);
  else console.log(data.itemChanges.document.revision, event.lastEventId);
});
source.addEventListener('complete', () => {
  source.close(); // an EventSource would send the same request again
  console.log('complete');
});
