/** Buttons that copy the field before them. */
export function enableSharing() {
  if (!navigator.clipboard) return; // not over plain http
  for (const button of document.querySelectorAll('[data-copy][hidden]')) {
    button.hidden = false;
    const field = button.previousElementSibling;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(field.value);
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    });
    field.addEventListener('focus', () => field.select());
  }
}
