/**
 * Protects forms: a second click sends nothing while the first one is on its way, and a page with a changed form asks
 * before it is left.
 */
export function guardForms() {
  let sent = new WeakSet();
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== 'post') return;
    if (sent.has(form)) event.preventDefault();
    sent.add(form);
    delete form.dataset.changed;
  });
  window.addEventListener('pageshow', () => { sent = new WeakSet(); });
  document.addEventListener('input', ({ target }) => {
    if (target.form) target.form.dataset.changed = '';
  });
  window.addEventListener('beforeunload', (event) => {
    if (document.querySelector('form[data-keeps][data-changed]')) event.preventDefault();
  });
}

/** Reports whether an element has something that a person has typed, or is typing. */
export function isInUse(element) {
  return Boolean(element.querySelector('[data-changed]'))
    || (element.contains(document.activeElement) && document.activeElement.matches('input, select, textarea'));
}
