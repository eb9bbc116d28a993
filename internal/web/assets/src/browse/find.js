/** Makes a search box filter the list of operations while the user types. The arrow keys move through the matches. */
export function find(box, operations) {
  const links = [...operations.querySelectorAll('a[data-says]')];
  const texts = new Map(links.map((link) => [link, link.dataset.says.toLowerCase()]));
  const matches = () => links.filter((link) => !link.parentElement.hidden);

  const filter = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const link of links) link.parentElement.hidden = !words.every((word) => texts.get(link).includes(word));
    for (const section of operations.querySelectorAll('section')) {
      section.hidden = !section.querySelector('li:not([hidden])');
    }
    operations.classList.toggle('found', words.length > 0);
  };

  box.addEventListener('input', filter);
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      box.value = '';
      filter();
      box.blur();
    }
  });
  box.form.addEventListener('submit', (event) => {
    const [only, another] = matches();
    if (!box.value || !only || another) return; // the index searches descriptions, too
    event.preventDefault();
    location.assign(only.href);
  });

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.closest?.('input, select, textarea, [contenteditable]');
    if (event.key === '/' && !isTyping) {
      event.preventDefault();
      box.focus();
      box.select();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target !== box && !operations.contains(event.target)) return;
    const found = matches();
    const at = found.indexOf(event.target) + step;
    event.preventDefault();
    if (at < 0) box.focus();
    else found[Math.min(at, found.length - 1)]?.focus();
  });
}
