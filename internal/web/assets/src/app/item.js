import { follow } from './feed.js';
import { replaceParts } from './parts.js';
import { fetchPart } from './report.js';

// Sections are fetched at most this often, in milliseconds.
const pace = 500;

/** Reports whether both sections have the same player. It follows the item itself, and a new frame would stop it. */
const isSamePlayer = (...sections) => {
  const [one, other] = sections.map((section) => section.querySelector('iframe')?.getAttribute('src'));
  return Boolean(one) && one === other;
};

/**
 * Makes the sections of an item's page follow its changes: each element with data-part is replaced by the one that the
 * server sends now, unless somebody is typing in it. The element #news then says what others have saved meanwhile.
 */
export function itemPage(page) {
  if (!page) return;
  const { live, self } = page.dataset;
  let timer;

  const refresh = async () => {
    timer = undefined;
    const since = page.querySelector('input[name=revision]').value; // what the form on the page was made from
    const html = await fetchPart(`${self}?since=${since}`);
    if (html === undefined) return;
    replaceParts(page, html, isSamePlayer);
    pollUntilSettled();
  };

  /** Deliveries are no changes of the item. While some are on their way, the page asks again. */
  const pollUntilSettled = () => {
    if (page.querySelector('[data-unsettled]')) timer ??= setTimeout(refresh, 1000);
  };

  follow(live, () => {
    timer ??= setTimeout(refresh, pace);
    setTimeout(() => { timer ??= setTimeout(refresh, pace); }, 2_500); // its deliveries are recorded a moment later
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) timer ??= setTimeout(refresh, pace); });
  pollUntilSettled();
}
