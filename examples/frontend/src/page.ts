// Draws the state.
import { html, nothing, svg } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Change, Item, State } from './itemcast';

const labels = { loading: 'Connecting', live: 'Live', away: 'Away', refused: 'Refused' };

export const page = ({ connection, reason, items, changes }: State) => html`
  <header>
    <h1>Catalogue</h1>
    <p role="status" class="connection" data-is=${connection}>
      <strong>${labels[connection]}</strong> ${connection === 'away' ? html`<span>${reason}</span>` : nothing}
    </p>
  </header>
  ${connection === 'refused' ? refused(reason, items !== null) : html`
    <aside aria-label="Latest changes">
      <h2>Latest changes</h2>
      ${changes.length === 0 ? html`<p>Changes appear here as they come.</p>` : nothing}
      <div role="log"><ol>${repeat(changes, (change) => change.cursor, entry)}</ol></div>
    </aside>
    <main aria-busy=${items === null}>
      ${items === null ? skeleton : items.size === 0 ? empty : grid([...items.values()], changes)}
    </main>`}
`;

const refused = (reason: string, ended: boolean) => html`
  <main class="message" role="alert">
    <h2>${ended ? 'This page’s access has ended' : 'This page cannot show the items'}</h2>
    <p>${reason}</p>
  </main>`;

const empty = html`
  <div class="message">
    <h2>Nothing here yet</h2>
    <p>Items appear here as soon as there are some.</p>
  </div>`;

const skeleton = html`
  <ul class="grid" aria-label="Loading">
    ${Array.from({ length: 8 }, () => html`<li class="card skeleton"><div class="poster"></div><h2></h2></li>`)}
  </ul>`;

const newestFirst = (a: Item, b: Item) => (a.created_at + a.id < b.created_at + b.id ? 1 : -1);

function grid(items: Item[], changes: Change[]) {
  const changed = new Set(changes.map((change) => change.document.id));
  return html`
    <ul class="grid" aria-label="Items">
      ${repeat(items.sort(newestFirst), (item) => item.id, (item) => card(item, changed.has(item.id)))}
    </ul>`;
}

// A card that has changed lights up: its animation has another name after each revision, so it starts anew.
const card = (item: Item, changed: boolean) => html`
  <li class="card" id=${item.id} data-flash=${changed ? item.revision % 2 : nothing}>
    <div class="poster" style="--hue: ${hue(item.id)}">
      ${picture(item)}
      ${item.duration === null ? nothing : html`<span class="duration">${clock(item.duration)}</span>`}
    </div>
    <h2>${item.player_url === null ? item.name : html`<a href=${item.player_url}>${item.name}</a>`}</h2>
    <p class="facts">${[item.type, item.producer].filter(Boolean).join(' · ')}</p>
    ${item.description && html`<p class="description">${item.description}</p>`}
    ${item.tags.length === 0 ? nothing : html`
      <ul class="tags" aria-label="Tags">${item.tags.map((tag) => html`<li>${tag}</li>`)}</ul>`}
  </li>`;

function picture({ type, snapshots, snapshot_id, player_url }: Item) {
  const shown = snapshots.find(({ id }) => id === snapshot_id) ?? snapshots[0];
  if (shown) return html`<img src=${shown.url} alt="" loading="lazy" />`;
  const icon = player_url === null ? icons[type] : play;
  return html`<svg viewBox="0 0 24 24" aria-hidden="true">${svg`<path d=${icon} />`}</svg>`;
}

const play = 'M8 5v14l11-7z';

const icons = {
  video: 'M3 5h18v14H3zm2 2v2h2V7zm0 4v2h2v-2zm0 4v2h2v-2zm12-8v2h2V7zm0 4v2h2v-2zm0 4v2h2v-2z',
  audio: 'M9 4v10.6a3.5 3.5 0 1 0 2 3.1V8h6V4z',
  image: 'M4 5h16v14H4zm2 11h12l-4-5-3 3.5-2-2z',
  document: 'M6 3h8l4 4v14H6zm3 8h6V9.5H9zm0 4h6v-1.5H9z',
  live: 'M12 9a3 3 0 100 6 3 3 0 000-6M7 4a10 10 0 000 16l1-2a8 8 0 010-12m9-2-1 2a8 8 0 010 12l1 2a10 10 0 000-16',
};

const entry = (change: Change) => html`
  <li data-kind=${change.kind}>
    <time datetime=${change.occurredAt}>${time.format(new Date(change.occurredAt))}</time>
    <span><strong>${change.document.name}</strong> ${what(change)}</span>
  </li>`;

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function what({ kind, changedFields }: Change): string {
  if (kind === 'UPDATED') return `changed: ${changedFields.join(', ').replaceAll('_', ' ')}`;
  return kind === 'CREATED' || kind === 'ENTERED' ? 'was added' : 'was removed';
}

// clock writes seconds as 1:33:05.
function clock(seconds: number): string {
  const [h = 0, m = 0, s = 0] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

// hue gives each item a colour of its own, the same everywhere. The end of an id is random.
const hue = (id: string) => parseInt(id.slice(-4), 16) % 360;
