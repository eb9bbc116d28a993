import { follow } from './feed.js';

// The page draws at most this often, in milliseconds. Whatever comes meanwhile is counted, and the newest is kept.
const pace = 500;
// More rows than this are drawn in several tasks, so that none is long; with the pause between them, in milliseconds.
const rowsAtOnce = 20;
const pause = 50;
// The plot has a bar for each step, in milliseconds; live_rate.go draws it first.
const step = 5_000;

/** Shows changes as they happen. The page has the newest ones only, so that thousands a minute cost it little. */
export function liveFeed(page) {
  if (!page) return;
  const { dataset } = page;
  const kinds = JSON.parse(dataset.kinds);
  const fields = JSON.parse(dataset.fields);
  const max = Number(dataset.max);
  const body = page.querySelector('tbody');
  const empty = page.querySelector('#change').content.firstElementChild;
  const connection = page.querySelector('#connection');
  const button = document.getElementById('pause');
  const who = new Map([[null, 'Itemcast']]); // names of users, from the rows that the server has made
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: 'medium' });
  const draw = plotting(page);
  const waiting = []; // oldest first
  let missed = 0; // while the page is paused
  let timer;
  let isPaused = false;

  for (const time of page.querySelectorAll('time.clock')) time.textContent = clock.format(new Date(time.dateTime));

  for (const cell of page.querySelectorAll('td[data-user]')) who.set(cell.dataset.user || null, cell.textContent);

  const rowOf = (change) => {
    const row = document.importNode(empty, true);
    const [at, kind, name, changed, revision, user] = row.children;
    const time = at.firstElementChild;
    time.dateTime = change.occurred_at;
    time.textContent = clock.format(new Date(change.occurred_at));
    kind.firstElementChild.classList.add(change.kind.toLowerCase());
    kind.firstElementChild.textContent = kinds[change.kind] ?? change.kind;
    if (change.kind === 'DELETED') {
      name.textContent = change.document.name;
    } else {
      const link = document.createElement('a');
      link.href = dataset.items + change.document.id;
      link.textContent = change.document.name;
      name.append(link);
    }
    changed.textContent = change.changed_fields.map((field) => fields[field] ?? field).join(', ');
    revision.textContent = change.revision;
    user.textContent = who.get(change.actor ?? null) ?? '';
    return row;
  };

  const refresh = () => {
    timer = undefined;
    draw();
    if (isPaused) {
      button.textContent = `${button.dataset.resume} (${missed})`;
      return;
    }
    const rows = waiting.splice(0, rowsAtOnce).reverse().map(rowOf);
    if (rows.length === 0) return;
    const focused = body.contains(document.activeElement) ? document.activeElement.closest('tr') : undefined;
    body.prepend(...rows);
    while (body.rows.length > max) {
      if (body.lastElementChild === focused) break; // the focus stays where it is
      body.lastElementChild.remove();
    }
    page.querySelector('.scroll').hidden = false;
    page.querySelector('#nothing').hidden = true;
    if (waiting.length > 0) timer = setTimeout(refresh, pause);
  };
  const later = () => { timer ??= setTimeout(refresh, pace); };
  const say = (state) => {
    if (connection.dataset.state === state) return;
    connection.dataset.state = state;
    connection.textContent = connection.dataset[state];
    connection.classList.toggle('bad', state === 'lost' || state === 'ended');
  };

  let wasLost = false;
  follow(dataset.feed, (change) => {
    draw.count(new Date(change.occurred_at).getTime());
    waiting.push(change);
    if (waiting.length > max) waiting.shift();
    missed += 1;
    later();
  }, () => say('ended'), (isConnected) => {
    if (isConnected) say(wasLost ? 'resumed' : 'live');
    else say('lost');
    wasLost ||= !isConnected;
  });

  button.hidden = false;
  button.addEventListener('click', () => {
    isPaused = !isPaused;
    missed = 0;
    button.setAttribute('aria-pressed', String(isPaused));
    button.textContent = isPaused ? button.dataset.resume : button.dataset.pause;
    if (!isPaused && timer === undefined) refresh();
  });
  setInterval(() => { if (!document.hidden) later(); }, step); // the plot moves on without changes too
}

/** Returns a function that draws the plot, with one that counts a change at a time. */
function plotting(page) {
  const svg = page.querySelector('#rate');
  const counts = page.dataset.counts.split(',').map(Number);
  let end = Number(page.dataset.end); // by the server's clock, as the times of changes
  const offset = end - step - Math.floor(Date.now() / step) * step; // of the server's clock, roughly
  const bars = counts.map((_, n) => {
    const bar = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    bar.setAttribute('class', 'count');
    bar.setAttribute('x', n * 10 + 1);
    bar.setAttribute('width', 8);
    return bar;
  });
  svg.replaceChildren(...bars);
  const moveTo = (now) => {
    for (let moved = 0; end <= now && moved < counts.length; moved += 1) {
      counts.shift();
      counts.push(0);
      end += step;
    }
    if (end <= now) end = (Math.floor(now / step) + 1) * step;
  };
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const draw = () => {
    moveTo(Date.now() + offset);
    const most = Math.max(...counts);
    counts.forEach((count, n) => {
      const height = count === 0 ? 0 : Math.max(2, Math.floor(count * 60 / most));
      bars[n].setAttribute('y', 60 - height);
      bars[n].setAttribute('height', height);
    });
    page.querySelector('#most').textContent = number.format(most);
    page.querySelector('#total').textContent = number.format(counts.reduce((sum, count) => sum + count, 0));
  };
  draw.count = (at) => {
    moveTo(at);
    const n = counts.length - 1 - Math.floor((end - 1 - at) / step);
    if (n >= 0) counts[n] += 1;
  };
  draw();
  return draw;
}
