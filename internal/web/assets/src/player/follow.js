/**
 * Follows an item that may still change. When its page would show something else, it fetches the page and calls back
 * with the new #show, or without one when the item is gone. Browsers allow few connections to a server, so only a
 * visible page follows.
 */
export function follow(show, changed) {
  let { events, version } = show.dataset;
  if (!events || !window.EventSource) return;
  let source;

  const see = async ({ data }) => {
    const seen = JSON.parse(data).version;
    if (seen === version) return;
    if (!seen) {
      changed();
      return;
    }
    try {
      const answer = await fetch(location.href, { cache: 'no-store', headers: { Accept: 'text/html' } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const next = document.importNode(page.getElementById('show'), true);
      ({ events, version } = next.dataset);
      changed(next);
      if (!events) stop();
    } catch {
      // The server is down. The stream reconnects, and then sends the version again.
    }
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
