// A page that lists the items that an access token shows, and keeps the list right as they change.
//
// itemcast.ts talks to the server and holds the state; page.ts draws it.
import { render } from 'lit';
import { follow } from './itemcast';
import { page } from './page';

const { VITE_ITEMCAST_URL: server, VITE_ITEMCAST_TOKEN: token } = import.meta.env;
if (!server || !token) throw new Error('Set VITE_ITEMCAST_URL and VITE_ITEMCAST_TOKEN, and build the page again.');

let drawing = 0; // many changes at once are drawn once
follow(server.replace(/\/+$/, ''), token, (state) => {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(() => render(page(state), document.body));
});
