// Follows the changes with the npm package eventsource, as a program would, and prints each connection ("open") and each change's revision.
//     node eventsource.mjs URL EMAIL:PASSWORD
import { EventSource } from "eventsource";

const [url, credentials] = process.argv.slice(2);
const authorization = "Basic " + Buffer.from(credentials).toString("base64");

const source = new EventSource(url, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, authorization } }),
});
source.onopen = () => console.log("open");
source.onmessage = (event) => console.log(JSON.parse(event.data).document.revision);
