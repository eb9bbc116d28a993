import { clock, make } from './dom.js';
import { pictureAt, readStoryboard } from './storyboard.js';

/** The time line, with the picture of the time that the pointer is at. */
export class Seek {
  #media;
  #stage;
  #range = make('input', { type: 'range', min: 0, max: 0, step: 'any', value: 0, 'aria-label': 'Time', class: 'line' });
  #buffered = make('div', { class: 'buffered' });
  #time = make('span', { class: 'time' });
  #picture = make('div', { class: 'picture', hidden: true });
  #preview = make('div', { class: 'preview', hidden: true, 'aria-hidden': 'true' }, this.#picture, this.#time);
  #cues;
  #holds = false; // the viewer holds the handle

  constructor(stage, media) {
    this.#stage = stage;
    this.#media = media;
    const range = this.#range;
    this.element = make('div', { class: 'seek' }, make('div', { class: 'track' }, this.#buffered), range, this.#preview);
    range.addEventListener('input', () => {
      this.#holds = true;
      this.#paint(Number(range.value));
      media.currentTime = Number(range.value);
    });
    range.addEventListener('change', () => { this.#holds = false; });
    this.element.addEventListener('pointermove', (e) => this.#showAt(e));
    this.element.addEventListener('pointerdown', (e) => this.#showAt(e));
    for (const event of ['pointerleave', 'pointercancel', 'pointerup']) {
      this.element.addEventListener(event, (e) => { if (event !== 'pointerup' || e.pointerType !== 'mouse') this.#hide(); });
    }
    for (const event of ['timeupdate', 'durationchange', 'seeking', 'seeked', 'progress', 'emptied']) {
      media.addEventListener(event, () => this.update());
    }
    this.update();
  }

  /** In seconds. The document knows it before the file has been loaded. */
  get duration() {
    const { duration } = this.#media;
    return Number.isFinite(duration) && duration > 0 ? duration : Number(this.#stage.dataset.seconds);
  }

  update() {
    const { currentTime, buffered } = this.#media;
    const { duration } = this;
    this.#range.max = duration;
    this.#range.disabled = !duration;
    if (!this.#holds) {
      this.#range.value = currentTime;
      this.#paint(currentTime);
    }
    let end = 0;
    for (let n = 0; n < buffered.length; n++) {
      if (buffered.start(n) <= currentTime + 0.5) end = Math.max(end, buffered.end(n));
    }
    this.#buffered.style.width = `${duration ? Math.min(100, (end / duration) * 100) : 0}%`;
  }

  #paint(seconds) {
    const share = this.duration ? Math.min(1, seconds / this.duration) : 0;
    this.element.style.setProperty('--played', share);
    this.#range.setAttribute('aria-valuetext', `${clock(seconds)} of ${clock(this.duration)}`);
  }

  #showAt({ clientX }) {
    const box = this.element.getBoundingClientRect();
    if (!this.duration || !box.width) return;
    const share = Math.min(1, Math.max(0, (clientX - box.left) / box.width));
    const seconds = share * this.duration;
    this.#time.textContent = clock(seconds);
    this.#preview.hidden = false;
    this.#showPicture(seconds);
    const half = this.#preview.offsetWidth / 2;
    this.#preview.style.left = `${Math.min(box.width - half, Math.max(half, share * box.width))}px`;
  }

  #showPicture(seconds) {
    const { storyboard } = this.#stage.dataset;
    if (!storyboard) return;
    if (!this.#cues) {
      this.#cues = [];
      readStoryboard(storyboard).then((cues) => { this.#cues = cues; }, () => {});
    }
    const picture = pictureAt(this.#cues, seconds);
    this.#picture.hidden = !picture;
    if (!picture) return;
    Object.assign(this.#picture.style, {
      width: `${picture.width}px`, height: `${picture.height}px`, backgroundImage: `url("${picture.url}")`,
      backgroundPosition: `-${picture.x}px -${picture.y}px`,
    });
  }

  #hide() { this.#preview.hidden = true; }
}
