/** Says at the top of the page why a script's request failed: with 401, that the session has ended. */
export function report(status) {
  const notice = document.getElementById('notice');
  const text = status === 401 ? document.body.dataset.sessionEnded : document.body.dataset.failed;
  const paragraph = document.createElement('p');
  paragraph.className = 'notice wrong';
  paragraph.textContent = text;
  notice.replaceChildren(paragraph);
}

/** Fetches a part of a page. Returns its text, or undefined after a failure, which it reports. */
export async function fetchPart(address) {
  try {
    const answer = await fetch(address, { headers: { 'X-Requested-With': 'XMLHttpRequest' }, cache: 'no-store' });
    if (answer.ok) return await answer.text();
    report(answer.status);
  } catch {
    // The server does not answer. The stream of changes connects again by itself, and the next change fetches anew.
  }
  return undefined;
}
