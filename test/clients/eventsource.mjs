// Follows changes with the npm package eventsource, as a program would, from the log (/api/v1/changes) or a subscription (/graphql?query=…), and
// prints each connection ("open"), each change's revision, and why a subscription has ended. It resumes by Last-Event-ID alone.
//     node eventsource.mjs URL EMAIL:PASSWORD
import { EventSource } from "eventsource";

const [url, credentials] = process.argv.slice(2);
const authorization = "Basic " + Buffer.from(credentials).toString("base64");

const source = new EventSource(url, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, authorization } }),
});
source.onopen = () => console.log("open");
source.onmessage = (event) => console.log(JSON.parse(event.data).document.revision);
source.addEventListener("next", (event) => {
  const { data, errors } = JSON.parse(event.data);
  console.log(errors ? errors[0].extensions.code : data.itemChanges.document.revision);
});
source.addEventListener("complete", () => {
  source.close();
  console.log("complete");
});
