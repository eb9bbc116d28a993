/** Buttons that copy the text of another element. Without a clipboard, as over plain http, they stay hidden. */
export function copying(within) {
  for (const button of within.querySelectorAll('[data-copies]')) {
    button.hidden = !navigator.clipboard;
    const label = button.textContent;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }
}
