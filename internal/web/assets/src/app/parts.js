import { copying } from './copy.js';
import { isInUse } from './form.js';
import { fetchPart } from './report.js';
import { localTimes } from './time.js';

// How long a page waits before it asks again what has come of a delivery or a replay, in milliseconds.
const pace = 1000;
const afterFailure = 10_000;

/**
 * Puts parts of a page that the server sends now in the place of the present ones: those with data-part, but for parts
 * in which somebody types, and those that keep() spares.
 */
export function replaceParts(page, html, keep = () => false) {
  const now = new DOMParser().parseFromString(html, 'text/html');
  for (const part of page.querySelectorAll('[data-part]')) {
    const fresh = now.getElementById(part.id);
    if (!fresh || isInUse(part) || keep(part, fresh)) continue;
    replacePart(part, fresh);
  }
}

/** Puts a part that the server sends now in place of the present one. What is open stays so, and the focus stays. */
export function replacePart(part, fresh) {
  const placed = document.importNode(fresh, true);
  const open = [...part.querySelectorAll('details[id]')].map(({ id, open: isOpen }) => [id, isOpen]);
  const focused = part.contains(document.activeElement) ? document.activeElement.id : '';
  part.replaceWith(placed);
  for (const [id, isOpen] of open) document.getElementById(id)?.toggleAttribute('open', isOpen);
  if (focused) document.getElementById(focused)?.focus();
  localTimes(placed);
  copying(placed);
}

/** Asks the server again while a part of the page has data-unsettled: a delivery is on its way, or a replay runs. */
export function following(page) {
  if (!page) return;
  const refresh = async () => {
    if (document.hidden) {
      document.addEventListener('visibilitychange', refresh, { once: true });
      return;
    }
    const html = await fetchPart(page.dataset.self + location.search);
    if (html !== undefined) replaceParts(page, html);
    if (page.querySelector('[data-unsettled]')) setTimeout(refresh, html === undefined ? afterFailure : pace);
  };
  if (page.querySelector('[data-unsettled]')) setTimeout(refresh, pace);
}
