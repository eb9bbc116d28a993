// Follows changes with the npm package eventsource, as a browser's EventSource does, and resumes by Last-Event-ID
// alone. It prints each connection ("open"), the revision and the cursor of each change, and the reason when a
// subscription ends.
//
//     make clients                                                              # installs the packages, once
//     node examples/subscribers/eventsource.mjs http://127.0.0.1:8080/api/v1/changes EMAIL:PASSWORD
//
// It follows a GraphQL subscription too: the URL is then …/graphql?query=…
import { EventSource } from 'eventsource';
import { basic, connection, end, pause, reason, refusal, serverURL } from '../command-line.mjs';

const usage = 'eventsource.mjs URL/api/v1/changes EMAIL:PASSWORD';
const [url, credentials] = process.argv.slice(2);
serverURL(url, usage);
const authorization = basic(credentials, usage);

let source;
let last = null; // the id of the last event, which is a cursor
let attempts = 0;

function follow() {
  source = new EventSource(url, {
    fetch: (input, init) => {
      const headers = { ...init.headers, authorization };
      if (last) headers['Last-Event-ID'] = last;
      return fetch(input, { ...init, headers });
    },
  });
  source.onopen = () => {
    attempts = 0;
    connection.open();
    console.log('open');
  };
  source.onerror = async (event) => {
    const refused = event.code && refusal(event.code, url);
    if (refused) end(refused);
    if (!connection.made && !event.code) end(`${url} cannot be reached: ${event.message}`);
    connection.lost();
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    console.log('closed'); // an EventSource gives up for good at any status but 200
    await pause(attempts++);
    follow();
  };
  // /api/v1/changes sends each change as a message.
  source.onmessage = ({ data, lastEventId }) => {
    last = lastEventId;
    console.log(JSON.parse(data).document.revision, lastEventId);
  };
  source.addEventListener('checkpoint', ({ lastEventId }) => (last = lastEventId)); // skips what filters left out

  // A GraphQL subscription sends results as "next", and "complete" after errors.
  source.addEventListener('next', ({ data, lastEventId }) => {
    const result = JSON.parse(data);
    if (result.errors) return console.log(result.errors[0].extensions.code);
    last = lastEventId;
    console.log(result.data.itemChanges.document.revision, lastEventId);
  });
  source.addEventListener('complete', () => {
    source.close(); // an EventSource would send the same request again
    console.log('complete');
  });
}

follow();
