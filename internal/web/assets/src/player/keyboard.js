import { make, memory } from './dom.js';

const keys = [
  ['Space or K', 'Play, pause'], ['← →', 'Back, forward 5 s'], ['J L', 'Back, forward 10 s'], ['↑ ↓', 'Volume'],
  ['M', 'Mute'], ['C', 'Subtitles'], ['F', 'Full screen'], ['I', 'Picture in picture'], ['< >', 'Slower, faster'],
  ['0 … 9', 'Jump to 0 … 90 %'], ['?', 'This list'],
];

/** The keys of the player. They act on the whole page, except in fields; a viewer can turn off those of one character. */
export class Keyboard {
  #controls;
  #single = make('input', { type: 'checkbox' });
  #act = (event) => this.#press(event);

  constructor(controls) {
    this.#controls = controls;
    this.#single.checked = memory.get('keys') ?? true;
    this.#single.addEventListener('change', () => memory.set('keys', this.#single.checked));
    const done = make('button', { type: 'button', class: 'button' }, 'Close');
    this.dialog = make('dialog', { class: 'keys', 'aria-label': 'Keyboard' }, make('h2', {}, 'Keyboard'),
      make('dl', {}, ...keys.map(([key, what]) => make('div', {}, make('dt', {}, key), make('dd', {}, what)))),
      make('label', {}, this.#single, ' Keys of one letter or digit act'), done);
    done.addEventListener('click', () => this.dialog.close());
    document.addEventListener('keydown', this.#act);
  }

  end() { document.removeEventListener('keydown', this.#act); }

  show() { this.dialog.showModal(); }

  #press(event) {
    const { key, target } = event;
    const isField = target.closest('textarea, select, summary, a, dialog, input:not([type=range])');
    const isLine = target.matches('input[type=range]');
    const inStage = this.#controls.stage.contains(target);
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isField) return;
    // Space presses the button that has the focus, and the arrows scroll a page whose player has not.
    if (key === ' ' && target.closest('button')) return;
    if (/^(Arrow|Home|End)/.test(key) && !inStage && !document.body.classList.contains('embed')) return;
    if (isLine && target.getAttribute('aria-label') === 'Volume' && /^(Arrow|Home|End)/.test(key)) return;
    if (key.length === 1 && key !== ' ' && !this.#single.checked) return;
    if (this.#do(key)) event.preventDefault();
  }

  /** Does what a key stands for, and reports whether it stands for something. */
  #do(key) {
    const c = this.#controls;
    const { volume } = c.media;
    const actions = {
      ' ': () => c.toggle(), k: () => c.toggle(),
      ArrowLeft: () => c.seekBy(-5), ArrowRight: () => c.seekBy(5), j: () => c.seekBy(-10), l: () => c.seekBy(10),
      ArrowUp: () => c.setVolume(volume + 0.1), ArrowDown: () => c.setVolume(volume - 0.1),
      Home: () => c.seekToShare(0), End: () => c.seekToShare(1),
      m: () => c.toggleMute(), c: () => c.toggleCaptions(), f: () => c.toggleFull(), i: () => c.togglePicture(),
      '<': () => c.stepSpeed(-1), '>': () => c.stepSpeed(1), '?': () => c.showKeys(),
    };
    const action = actions[key.length === 1 ? key.toLowerCase() : key];
    if (action) action();
    else if (/^\d$/.test(key)) c.seekToShare(Number(key) / 10);
    else return false;
    return true;
  }
}
