// The pages of the browsable API work without this script. It adds: finding operations while typing, copying, folding,
// opening the form that a link leads to, and a notice when the resource on the page has changed.

import './browse.css';
import { follow } from './live.js';
import { find } from './find.js';

document.querySelector('#operations [aria-current]')?.scrollIntoView({ block: 'nearest' });
find(document.getElementById('search'), document.getElementById('operations'));
follow(document.body, document.getElementById('live'));
enableCopying();
enableFolding();
enableOpening();
enableIndenting();

/** Buttons that copy the text of another element. */
function enableCopying() {
  for (const button of document.querySelectorAll('[data-copies]')) {
    button.hidden = !navigator.clipboard;
    const label = button.textContent;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }
}

/** A button that reduces the elements of a list to their first members. */
function enableFolding() {
  const button = document.getElementById('fold');
  const body = document.querySelector('.json .b .b');
  if (!button || !body) return;
  const exchange = button.closest('.exchange');
  button.hidden = false;
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', () => {
    const folded = exchange.classList.toggle('folded');
    button.textContent = folded ? 'Unfold' : 'Fold';
    button.setAttribute('aria-pressed', folded);
  });
}

/** Links to a form or a field: they open the details around it, and focus it. */
function enableOpening() {
  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || target.id === 'main' || target.closest('#operations')) return;
    for (let at = target; at; at = at.parentElement) {
      if (at.tagName === 'DETAILS') at.open = true;
    }
    target.scrollIntoView({ block: 'start' });
    const fields = ['input', 'select', 'textarea'].map((tag) => `${tag}:enabled:not([type=hidden], [readonly])`).join();
    const field = target.matches(fields) ? target : target.querySelector(fields) ?? target.querySelector('summary');
    field?.focus({ preventScroll: true });
  };
  window.addEventListener('hashchange', open);
  for (const link of document.querySelectorAll('a[data-opens]')) {
    link.addEventListener('click', () => { if (link.hash === location.hash) open(); });
  }
  // The page of an answer has the address of the form that was sent, but not the other forms of that address. An empty
  // query makes the browser load the page again.
  for (const link of document.querySelectorAll('#operations a[href*="#"]')) {
    link.addEventListener('click', (event) => {
      if (link.pathname !== location.pathname || document.getElementById(link.hash.slice(1))) return;
      event.preventDefault();
      location.assign(`${link.pathname}?${link.hash}`);
    });
  }
  open();
  // Some browsers then scroll to the fragment themselves, which removes the focus.
  window.addEventListener('load', () => setTimeout(() => { if (document.activeElement === document.body) open(); }));
}

/** In an editor, Tab indents. Before the first key, and after Escape, it moves the focus as everywhere else. */
function enableIndenting() {
  for (const editor of document.querySelectorAll('textarea[data-indents]')) {
    let leaves = true;
    editor.addEventListener('input', () => { leaves = false; });
    editor.addEventListener('blur', () => { leaves = true; });
    editor.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') leaves = true;
      if (event.key !== 'Tab' || event.shiftKey || leaves) return;
      event.preventDefault();
      editor.setRangeText('  ', editor.selectionStart, editor.selectionEnd, 'end');
    });
  }
}
