/**
 * Shows a notice when the resource on the page has changed since the page was loaded. Browsers allow few connections to
 * a server, so only a visible page follows changes. When a page becomes visible again, it first checks whether it
 * missed a change.
 *
 * page has data-live (the event stream), data-etag and data-plain (the plain answer). It gets data-follows when it is
 * sure to notice every change.
 */
export function follow(page, notice) {
  const { live, etag, plain } = page.dataset;
  if (!live || !etag || !notice || !window.EventSource) return;
  const revision = Number(etag.replaceAll('"', ''));
  let source;

  const show = (text) => {
    notice.querySelector('span').textContent = text;
    notice.hidden = false;
    stop();
  };

  /** Checks for a change from before the stream began. */
  const check = async () => {
    try {
      const headers = { 'If-None-Match': etag, Accept: 'application/json' };
      const answer = await fetch(plain, { headers, cache: 'no-store' });
      if (answer.status === 404) show('This has been deleted since you loaded it.');
      else if (answer.ok && answer.headers.get('ETag') !== etag) show('This has changed since you loaded it.');
      else page.dataset.follows = '';
    } catch {
      // The server is down. The stream reconnects, and then this check runs again.
    }
  };

  const start = () => {
    if (source || document.hidden || !notice.hidden) return;
    source = new EventSource(live);
    source.addEventListener('open', check);
    source.addEventListener('message', ({ data }) => {
      const change = JSON.parse(data);
      if (change.kind === 'DELETED') {
        show('This has been deleted since you loaded it.');
      } else if (!(change.revision <= revision)) { // also true when the revision is not a number
        const what = change.changed_fields.join(', ') || change.kind.toLowerCase();
        show(`This has changed since you loaded it: ${what}.`);
      }
    });
  };

  const stop = () => {
    source?.close();
    source = undefined;
    delete page.dataset.follows;
  };

  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()));
  window.addEventListener('pagehide', stop);
  window.addEventListener('pageshow', start);
  start();
}
