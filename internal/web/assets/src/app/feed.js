// How often a stream that the server refuses is opened again before the page gives up, and after how long.
const attempts = 5;
const pause = 5_000; // milliseconds

/**
 * Calls changed with each change that the stream at an address sends, and lost when the page cannot follow any longer.
 * Browsers allow few connections to a server, so only a visible page has one; it resumes after the last change that it
 * got. Calls connected(true) when the connection stands, and connected(false) when it breaks. Returns a function that
 * ends it.
 */
export function follow(address, changed, lost, connected) {
  if (!address || !window.EventSource) return () => {};
  const url = new URL(address, location.href);
  let source;
  let waiting;
  let refused = 0;

  const stop = () => {
    clearTimeout(waiting);
    source?.close();
    source = undefined;
  };

  const start = () => {
    if (source || document.hidden) return;
    const opened = new EventSource(url);
    source = opened;
    opened.addEventListener('open', () => {
      refused = 0;
      document.documentElement.dataset.follows = ''; // tests wait for it
      connected?.(true);
    });
    opened.addEventListener('message', (event) => {
      if (event.lastEventId) url.searchParams.set('after', event.lastEventId);
      changed(JSON.parse(event.data));
    });
    opened.addEventListener('error', () => {
      delete document.documentElement.dataset.follows;
      if (source === opened) connected?.(false);
      if (opened.readyState !== EventSource.CLOSED || source !== opened) return; // the browser connects again by itself
      stop();
      refused += 1;
      if (refused > attempts) lost?.();
      else waiting = setTimeout(start, pause);
    });
  };

  const visible = () => (document.hidden ? stop() : start());
  document.addEventListener('visibilitychange', visible);
  window.addEventListener('pagehide', stop);
  window.addEventListener('pageshow', start);
  start();
  return () => {
    stop();
    document.removeEventListener('visibilitychange', visible);
    window.removeEventListener('pagehide', stop);
    window.removeEventListener('pageshow', start);
  };
}
