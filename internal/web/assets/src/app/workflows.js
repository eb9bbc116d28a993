import { follow } from './feed.js';
import { isInUse } from './form.js';
import { replacePart } from './parts.js';
import { fetchPart } from './report.js';
import { localTimes } from './time.js';

// The list is fetched at most this often, in milliseconds.
const pace = 500;

/** Makes the list of runs follow them, and adds keys that work while a run has the focus. */
export function runList(page) {
  if (!page) return;
  const list = page.querySelector('#runs');
  document.getElementById('workflow-keys').hidden = !list.querySelector('textarea');
  let timer;

  const refresh = async () => {
    timer = undefined;
    const html = await fetchPart(location.pathname + location.search);
    if (html === undefined) return;
    const now = new DOMParser().parseFromString(html, 'text/html');
    merge(list, [...now.querySelectorAll('#runs > li')], page.dataset.moved);
    page.querySelector('#nothing').hidden = list.children.length > 0;
  };
  const later = () => { timer ??= setTimeout(refresh, pace); };
  follow(page.dataset.live, later);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) later(); });
  list.addEventListener('keydown', byKey);
}

/** Puts the runs that the server sends now in the place of the present ones. One in which somebody types stays. */
function merge(list, fresh, moved) {
  const ids = new Set(fresh.map(({ id }) => id));
  for (const run of [...list.children]) {
    if (ids.has(run.id)) continue;
    if (!isInUse(run)) {
      run.remove();
    } else if (!run.querySelector('.moved')) {
      const note = document.createElement('p');
      note.className = 'moved bad';
      note.setAttribute('role', 'status');
      note.textContent = moved;
      run.prepend(note);
    }
  }
  fresh.forEach((run, n) => {
    const old = document.getElementById(run.id);
    if (old && isInUse(old)) return;
    if (old) {
      replacePart(old, run);
      return;
    }
    const placed = document.importNode(run, true);
    list.insertBefore(placed, list.children[n] ?? null);
    localTimes(placed);
  });
}

/** j and k lead to the next and the previous run, c to the comment. Ctrl+Enter there presses the first button. */
function byKey(event) {
  const run = event.target.closest('li.run');
  if (!run || event.altKey || event.metaKey) return;
  if (event.target.localName === 'textarea') {
    if (event.key === 'Enter' && event.ctrlKey) run.querySelector('.acting button').click();
    return;
  }
  if (event.ctrlKey) return;
  const to = {
    j: () => run.nextElementSibling?.querySelector('h2 a'),
    k: () => run.previousElementSibling?.querySelector('h2 a'),
    c: () => run.querySelector('textarea'),
  }[event.key]?.();
  if (!to) return;
  event.preventDefault();
  to.focus();
}
