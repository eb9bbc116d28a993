import { follow } from './feed.js';
import { fetchPart } from './report.js';
import { localTimes } from './time.js';

// Rows are fetched at most this often, however many changes come, in milliseconds.
const pace = 500;

let stop = () => {};

/** Makes a list follow changes, and its boxes select rows. Called again when htmx has replaced the list. */
export function list(results) {
  stop();
  if (!results) return;
  selecting(results);
  stop = following(results);
}

function following(results) {
  const news = results.querySelector('#news');
  const changedRows = new Set();
  const arrived = new Set();
  let timer;
  let ended = false;

  const refresh = async () => {
    timer = undefined;
    const ids = [...changedRows].slice(0, 50);
    for (const id of ids) changedRows.delete(id);
    if (ids.length > 0) await replaceRows(results, ids);
    if (changedRows.size > 0) later();
  };

  const later = () => {
    if (!ended) timer ??= setTimeout(refresh, pace);
  };

  const end = follow(results.dataset.live, (change) => {
    const { id } = change.document;
    const row = document.getElementById(`i-${id}`);
    if (!row) {
      if (change.kind === 'CREATED' || change.kind === 'ENTERED') arrived.add(id);
      if (change.kind === 'DELETED' || change.kind === 'LEFT') arrived.delete(id);
      news.hidden = arrived.size === 0;
      news.querySelector('span').textContent = results.dataset.news.replace('{0}', arrived.size);
    } else if (change.kind === 'DELETED' || change.kind === 'LEFT') {
      changedRows.delete(id);
      leave(row, change.kind === 'DELETED' ? results.dataset.gone : results.dataset.left);
    } else if (change.kind !== 'TRIGGERED' && !(change.revision <= Number(row.dataset.revision))) {
      changedRows.add(id);
      later();
    }
  }, () => {
    news.hidden = false;
    news.querySelector('span').textContent = document.body.dataset.failed;
  });
  return () => {
    ended = true;
    clearTimeout(timer);
    end();
  };
}

/** Puts new rows in the place of old ones. Selection and focus stay. */
async function replaceRows(results, ids) {
  const query = new URLSearchParams(ids.map((id) => ['id', id]));
  const html = await fetchPart(`${results.dataset.rows}?${query}`);
  if (html === undefined) return;
  const fetched = document.createElement('template');
  fetched.innerHTML = html;
  localTimes(fetched.content);
  for (const row of [...fetched.content.querySelectorAll('tr')]) {
    const old = document.getElementById(row.id);
    if (!old) continue;
    const box = row.querySelector('input');
    if (box) box.checked = old.querySelector('input')?.checked ?? false;
    const focused = old.contains(document.activeElement) ? document.activeElement : undefined;
    row.classList.add('fresh');
    old.replaceWith(row);
    if (focused) row.querySelector(focused.localName === 'input' ? 'input' : '.name a')?.focus();
  }
}

/** Marks a row whose item has been deleted, or no longer matches. It stays until the page is loaded again. */
function leave(row, why) {
  row.className = 'gone';
  const box = row.querySelector('input');
  if (box) {
    box.checked = false;
    box.disabled = true;
    box.dispatchEvent(new Event('change', { bubbles: true }));
  }
  let mark = row.querySelector('.mark');
  if (!mark) {
    mark = document.createElement('span');
    mark.className = 'mark';
    row.querySelector('.name a').after(' ', mark);
  }
  mark.textContent = why;
}

/** A box that selects all rows, and the number of selected ones. */
function selecting(results) {
  const all = results.querySelector('#all');
  const label = results.querySelector('#selected');
  if (!all || !label) return;
  const boxes = () => [...results.querySelectorAll('input[name=id]:enabled')];
  const count = () => {
    const selected = boxes().filter((box) => box.checked).length;
    label.textContent = selected === 0 ? label.dataset.none : label.dataset.some.replace('{0}', selected);
    all.checked = selected > 0 && selected === boxes().length;
    all.indeterminate = selected > 0 && !all.checked;
    label.parentElement.classList.toggle('chosen', selected > 0);
  };
  all.hidden = false;
  all.addEventListener('change', () => {
    for (const box of boxes()) box.checked = all.checked;
    count();
  });
  results.addEventListener('change', ({ target }) => { if (target.name === 'id') count(); });
  count();
}
