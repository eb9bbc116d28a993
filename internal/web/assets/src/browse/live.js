/**
 * Tells when what is shown has changed since it was loaded. A browser opens few connections to a server, so only a page that is looked at
 * follows; one that comes back to the front first asks whether it has missed anything.
 */
export function follow({ live, etag, plain }, badge) {
  if (!live || !etag || !badge || !window.EventSource) return;
  const revision = Number(etag.replaceAll('"', ''));
  let source;

  const tell = (text) => {
    badge.querySelector('span').textContent = text;
    badge.hidden = false;
    stop();
  };

  /** What happened before the stream began. */
  const check = async () => {
    try {
      const answer = await fetch(plain, { headers: { 'If-None-Match': etag, Accept: 'application/json' }, cache: 'no-store' });
      if (answer.status === 404) tell('This has been deleted since you loaded it.');
      else if (answer.ok && answer.headers.get('ETag') !== etag) tell('This has changed since you loaded it.');
    } catch {
      // The server is away; the stream comes again when it does.
    }
  };

  const start = () => {
    if (source || document.hidden || !badge.hidden) return;
    source = new EventSource(live);
    source.addEventListener('open', check);
    source.addEventListener('message', ({ data }) => {
      const change = JSON.parse(data);
      if (change.kind === 'DELETED') tell('This has been deleted since you loaded it.');
      else if (!(change.revision <= revision)) tell(`This has changed since you loaded it: ${change.changed_fields.join(', ') || change.kind.toLowerCase()}.`);
    });
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
