const retryAfter = 2000; // milliseconds

/**
 * Follows an item that may still change. When its page would show something else, it fetches the page and calls back
 * with the new #show, or without one when the item is gone. Browsers allow few connections to a server, so only a
 * visible page follows.
 */
export function follow(show, changed) {
  let { events, version } = show.dataset;
  if (!events || !window.EventSource) return;
  let source;
  let told = version; // by the stream, last
  let handled = version; // the last of these for which the page was fetched
  let busy = false;

  // One fetch at a time: the answer of an earlier one may come last, and would stay.
  const see = async ({ data }) => {
    told = JSON.parse(data).version;
    if (busy) return;
    busy = true;
    try {
      while (told !== version && told !== handled) await update(told);
    } catch {
      // The server is down. The stream reconnects, and then sends the version again.
    } finally {
      busy = false;
    }
  };

  const update = async (to) => {
    if (!to) {
      handled = to;
      changed();
      return;
    }
    const answer = await fetch(location.href, { cache: 'no-store', headers: { Accept: 'text/html' } });
    if (!answer.ok) {
      await new Promise((resolve) => setTimeout(resolve, retryAfter)); // it is busy
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const next = document.importNode(page.getElementById('show'), true);
    handled = to;
    ({ events, version } = next.dataset);
    changed(next);
    if (!events) stop();
  };

  const start = () => {
    if (source || document.hidden || !events) return;
    source = new EventSource(events);
    source.addEventListener('message', see);
  };
  const stop = () => {
    source?.close();
    source = undefined;
  };

  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()));
  window.addEventListener('pagehide', stop);
  window.addEventListener('pageshow', start);
  start();
}
