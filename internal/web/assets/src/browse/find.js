/** Has a search box narrow down the operations as one types; the arrow keys go through them. */
export function find(box, operations) {
  const links = [...operations.querySelectorAll('a[data-says]')];
  const said = new Map(links.map((link) => [link, link.dataset.says.toLowerCase()]));
  const shown = () => links.filter((link) => !link.parentElement.hidden);

  const narrow = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const link of links) link.parentElement.hidden = !words.every((word) => said.get(link).includes(word));
    for (const section of operations.querySelectorAll('section')) section.hidden = !section.querySelector('li:not([hidden])');
    operations.classList.toggle('found', words.length > 0);
  };

  box.addEventListener('input', narrow);
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      box.value = '';
      narrow();
      box.blur();
    }
  });
  box.form.addEventListener('submit', (event) => {
    const [only, more] = shown();
    if (!box.value || !only || more) return; // the index says more
    event.preventDefault();
    location.assign(only.href);
  });

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const types = event.target.closest?.('input, select, textarea, [contenteditable]');
    if (event.key === '/' && !types) {
      event.preventDefault();
      box.focus();
      box.select();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target !== box && !operations.contains(event.target)) return;
    const through = shown();
    const at = through.indexOf(event.target) + step;
    event.preventDefault();
    if (at < 0) box.focus();
    else through[Math.min(at, through.length - 1)]?.focus();
  });
}
