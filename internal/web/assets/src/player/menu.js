import { icon, make } from './dom.js';

/** A button that opens a menu of choices, in groups. Arrow keys move, Escape closes. */
export class Menu {
  #groups;
  #panel;
  #button;
  #shut;

  /** groups returns [{ name, choices: [{ name, note, chosen, choose }] }]. */
  constructor(name, sign, groups, keys) {
    this.#groups = groups;
    this.#panel = make('div', { class: 'menu', role: 'menu', 'aria-label': name, hidden: true });
    this.#button = make('button', {
      type: 'button', class: 'control', 'aria-label': name, title: name, 'aria-haspopup': 'menu', 'aria-expanded': 'false',
      'aria-keyshortcuts': keys,
    }, icon(sign));
    this.element = make('div', { class: 'has-menu' }, this.#button, this.#panel);
    this.#button.addEventListener('click', () => (this.isOpen ? this.close() : this.open()));
    this.#panel.addEventListener('keydown', (e) => this.#move(e));
    this.element.addEventListener('focusout', ({ relatedTarget }) => {
      if (relatedTarget && !this.element.contains(relatedTarget)) this.close();
    });
    this.#shut = ({ target }) => { if (!this.element.contains(target)) this.close(); };
  }

  get isOpen() { return !this.#panel.hidden; }

  get button() { return this.#button; }

  open() {
    this.#draw();
    this.#panel.hidden = false;
    this.#panel.style.maxHeight = `${Math.max(96, Math.min(360, this.#room()))}px`;
    this.#button.setAttribute('aria-expanded', 'true');
    document.addEventListener('pointerdown', this.#shut, true);
    (this.#panel.querySelector('[aria-checked=true]') ?? this.#panel.querySelector('button'))?.focus();
  }

  close() {
    document.removeEventListener('pointerdown', this.#shut, true);
    if (!this.isOpen) return;
    const inside = this.#panel.contains(document.activeElement);
    this.#panel.hidden = true;
    this.#button.setAttribute('aria-expanded', 'false');
    if (inside) this.#button.focus();
  }

  /** The pixels above the button: a stage with a picture shows nothing outside of itself. */
  #room() {
    const stage = this.element.closest('.stage');
    const top = getComputedStyle(stage).overflow === 'visible' ? 0 : stage.getBoundingClientRect().top;
    return this.#button.getBoundingClientRect().top - Math.max(0, top) - 20;
  }

  #draw() {
    this.#panel.replaceChildren(...this.#groups().filter(({ choices }) => choices.length > 0).map(({ name, choices }) =>
      make('div', { role: 'group', 'aria-label': name }, make('p', { 'aria-hidden': 'true' }, name),
        ...choices.map((choice) => this.#item(choice)))));
  }

  #item({ name, note, chosen, choose }) {
    const item = make('button', {
      type: 'button', role: chosen === undefined ? 'menuitem' : 'menuitemradio', tabindex: -1,
      'aria-checked': chosen === undefined ? undefined : String(chosen),
    }, icon('check'), name, ...(note ? [make('small', {}, note)] : []));
    item.addEventListener('click', () => {
      choose();
      this.close();
    });
    return item;
  }

  #move(event) {
    const items = [...this.#panel.querySelectorAll('button')];
    const at = items.indexOf(document.activeElement);
    const to = {
      ArrowDown: (at + 1) % items.length, ArrowUp: (at - 1 + items.length) % items.length, Home: 0, End: items.length - 1,
    }[event.key];
    if (event.key === 'Escape' || event.key === 'Tab') this.close();
    if (to !== undefined) items[to].focus();
    // The keys of the player do not act meanwhile.
    event.stopPropagation();
    if (to !== undefined || event.key === 'Escape') event.preventDefault();
  }
}
