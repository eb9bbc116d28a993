import { Captions } from './captions.js';
import { clock, icon, make, memory } from './dom.js';
import { Keyboard } from './keyboard.js';
import { Menu } from './menu.js';
import { Seek } from './seek.js';

export const speeds = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const idle = 2500; // ms without a pointer after which the controls of a playing video hide

/** The controls over a stage. Without JavaScript, the browser shows its own. */
export class Controls {
  #stage;
  #media;
  #source;
  #captions;
  #seek;
  #isVideo;
  #play = button('Play', 'play', 'k');
  #mute = button('Mute', 'loud', 'm');
  #volume = make('input', { type: 'range', min: 0, max: 1, step: 0.05, 'aria-label': 'Volume', class: 'line' });
  #time = make('span', { class: 'clock' });
  #captionsMenu;
  #settings;
  #picture = button('Picture in picture', 'picture', 'i');
  #full = button('Full screen', 'full', 'f');
  #begin = button('Play', 'play');
  #notice = make('div', { class: 'notice', role: 'status' });
  #hiding;
  #noticing;
  #keyboard;

  constructor(stage, media, source, title) {
    this.#stage = stage;
    this.#media = media;
    this.#source = source;
    this.#isVideo = media.tagName === 'VIDEO';
    this.#seek = new Seek(stage, media);
    this.#captions = new Captions(media, () => this.#update());
    this.#captionsMenu = new Menu('Subtitles', 'captions', () => this.#captionChoices(), 'c');
    this.#settings = new Menu('Settings', 'settings', () => this.#settingChoices());
    this.#keyboard = new Keyboard(this);
    this.#build(title);
    this.#listen();
    media.controls = false;
    media.volume = memory.get('volume') ?? 1;
    media.muted = memory.get('muted') ?? false;
    media.defaultPlaybackRate = memory.get('speed') ?? 1;
    media.playbackRate = media.defaultPlaybackRate;
    this.#update();
    this.#announce(title);
  }

  get stage() { return this.#stage; }

  get media() { return this.#media; }

  get captions() { return this.#captions; }

  end() {
    this.#keyboard.end();
    clearTimeout(this.#hiding);
  }

  toggle() {
    if (this.#media.paused || this.#media.ended) this.#source.play();
    else this.#media.pause();
    this.#wake();
  }

  /** Moves to a time, in seconds. */
  async seekTo(seconds) {
    await this.#source.load();
    this.#media.currentTime = Math.min(this.#seek.duration, Math.max(0, seconds));
    this.#wake();
  }

  seekBy(seconds) {
    this.notify(`${seconds > 0 ? '+' : '−'}${Math.abs(seconds)} s`);
    this.seekTo(this.#media.currentTime + seconds);
  }

  seekToShare(share) { this.seekTo(share * this.#seek.duration); }

  setVolume(volume) {
    this.#media.volume = Math.min(1, Math.max(0, volume));
    this.#media.muted = this.#media.volume === 0;
    this.notify(`Volume ${Math.round(this.#media.volume * 100)} %`);
  }

  toggleMute() {
    this.#media.muted = !this.#media.muted;
    if (!this.#media.muted && this.#media.volume === 0) this.#media.volume = 0.5;
    this.notify(this.#media.muted ? 'Muted' : 'Sound on');
  }

  setSpeed(speed) {
    this.#media.defaultPlaybackRate = speed;
    this.#media.playbackRate = speed;
    memory.set('speed', speed);
    this.notify(`Speed ${speed}×`);
  }

  /** Chooses the next speed up (1) or down (−1). */
  stepSpeed(step) {
    const at = speeds.findIndex((s) => s >= this.#media.playbackRate);
    this.setSpeed(speeds[Math.min(speeds.length - 1, Math.max(0, at + step))]);
  }

  toggleCaptions() {
    if (this.#captions.tracks.length === 0) return;
    this.#captions.toggle();
    this.notify(this.#captions.shown ? `Subtitles: ${this.#captions.shown.label}` : 'Subtitles off');
  }

  async toggleFull() {
    if (!this.#isVideo) return;
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (this.#stage.requestFullscreen) await this.#stage.requestFullscreen().catch(() => {});
    else this.#media.webkitEnterFullscreen?.(); // a phone with iOS has no other
  }

  async togglePicture() {
    if (!document.pictureInPictureEnabled || !this.#isVideo) return;
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else await this.#media.requestPictureInPicture().catch(() => {});
  }

  /** Shows what a key has done. */
  notify(text) {
    this.#notice.textContent = text;
    this.#notice.classList.add('shown');
    clearTimeout(this.#noticing);
    this.#noticing = setTimeout(() => this.#notice.classList.remove('shown'), 900);
    this.#wake();
  }

  showKeys() { this.#keyboard.show(); }

  #build(title) {
    this.#begin.className = 'begin';
    this.#picture.hidden = !this.#isVideo || !document.pictureInPictureEnabled;
    this.#full.hidden = !this.#isVideo || !(document.fullscreenEnabled || this.#media.webkitEnterFullscreen);
    const sound = make('div', { class: 'sound' }, this.#mute, this.#volume);
    const bar = make('div', { class: 'bar' }, this.#seek.element,
      make('div', { class: 'row' }, this.#play, sound, this.#time, make('span', { class: 'space' }),
        this.#captionsMenu.element, this.#settings.element, this.#picture, this.#full));
    this.#stage.setAttribute('role', 'region');
    this.#stage.setAttribute('aria-label', `Player: ${title}`);
    this.#stage.classList.add('controlled');
    if (this.#isVideo) this.#stage.append(make('div', { class: 'shade', 'aria-hidden': 'true' }), this.#begin);
    this.#stage.append(this.#notice, bar, this.#keyboard.dialog);
  }

  #listen() {
    const media = this.#media;
    const stage = this.#stage;
    for (const event of ['play', 'pause', 'ended', 'volumechange', 'ratechange', 'timeupdate', 'durationchange',
      'waiting', 'playing', 'seeking', 'seeked', 'canplay']) {
      media.addEventListener(event, () => this.#update());
    }
    media.addEventListener('volumechange', () => {
      memory.set('volume', media.volume);
      memory.set('muted', media.muted);
    });
    this.#play.addEventListener('click', () => this.toggle());
    this.#begin.addEventListener('click', () => {
      this.toggle();
      this.#play.focus({ preventScroll: true });
    });
    this.#mute.addEventListener('click', () => this.toggleMute());
    this.#volume.addEventListener('input', () => this.setVolume(Number(this.#volume.value)));
    this.#picture.addEventListener('click', () => this.togglePicture());
    this.#full.addEventListener('click', () => this.toggleFull());
    document.addEventListener('fullscreenchange', () => this.#update());
    stage.addEventListener('levels', () => this.#update());
    stage.addEventListener('failed', () => this.#fail());
    for (const event of ['pointermove', 'pointerdown', 'focusin', 'keydown']) stage.addEventListener(event, () => this.#wake());
    stage.addEventListener('pointerleave', () => this.#hideSoon(400));
    if (this.#isVideo) this.#listenToPicture();
  }

  /** A click on the picture plays and pauses, a double click fills the screen. A finger first shows the controls. */
  #listenToPicture() {
    let touched = false;
    let hidden = false;
    this.#media.addEventListener('pointerdown', ({ pointerType }) => {
      touched = pointerType === 'touch';
      hidden = this.#stage.classList.contains('idle');
    }, true);
    this.#stage.addEventListener('pointerdown', ({ target }) => {
      if (target !== this.#media) hidden = false;
    }, true);
    this.#media.addEventListener('click', () => {
      if (touched && hidden) return;
      this.toggle();
    });
    this.#media.addEventListener('dblclick', () => { if (!touched) this.toggleFull(); });
  }

  #wake() {
    this.#stage.classList.remove('idle');
    this.#hideSoon(idle);
  }

  #hideSoon(after) {
    clearTimeout(this.#hiding);
    this.#hiding = setTimeout(() => {
      const busy = this.#media.paused || !this.#isVideo || this.#captionsMenu.isOpen || this.#settings.isOpen ||
        this.#stage.querySelector('.bar :focus-visible');
      if (!busy) this.#stage.classList.add('idle');
    }, after);
  }

  #update() {
    const media = this.#media;
    const { duration } = this.#seek;
    const playing = !media.paused && !media.ended;
    change(this.#play, media.ended ? 'Play again' : playing ? 'Pause' : 'Play',
      media.ended ? 'again' : playing ? 'pause' : 'play');
    change(this.#begin, media.ended ? 'Play again' : 'Play', media.ended ? 'again' : 'play');
    change(this.#mute, media.muted ? 'Sound on' : 'Mute', media.muted || media.volume === 0 ? 'mute' : 'loud');
    this.#volume.value = media.muted ? 0 : media.volume;
    this.#volume.style.setProperty('--played', media.muted ? 0 : media.volume);
    this.#volume.setAttribute('aria-valuetext', `${Math.round(this.#volume.value * 100)} %`);
    const text = duration ? `${clock(media.currentTime)} / ${clock(duration)}` : clock(media.currentTime);
    if (this.#time.textContent !== text) this.#time.textContent = text;
    const full = Boolean(document.fullscreenElement);
    change(this.#full, full ? 'Leave full screen' : 'Full screen', full ? 'small' : 'full');
    this.#captionsMenu.element.hidden = this.#captions.tracks.length === 0;
    this.#captionsMenu.button.setAttribute('aria-pressed', String(Boolean(this.#captions.shown)));
    const { classList } = this.#stage;
    classList.toggle('playing', playing);
    classList.toggle('fresh', media.paused && media.currentTime === 0 || media.ended);
    classList.toggle('waiting', playing && media.readyState < HTMLMediaElement.HAVE_FUTURE_DATA);
    if (!playing) classList.remove('idle');
    else if (!this.#hiding) this.#hideSoon(idle);
  }

  #captionChoices() {
    const { shown, tracks } = this.#captions;
    return [{
      name: 'Subtitles',
      choices: [{ name: 'Off', chosen: !shown, choose: () => this.#captions.choose(undefined) },
        ...tracks.map((track) => ({
          name: track.label || 'On', chosen: track === shown, choose: () => this.#captions.choose(track),
        }))],
    }];
  }

  #settingChoices() {
    const { levels, level, playing } = this.#source;
    return [
      {
        name: 'Quality',
        choices: levels.length === 0 ? [] : [
          { name: 'Automatic', note: playing, chosen: level === -1, choose: () => { this.#source.level = -1; } },
          ...levels.map(({ name, index }) => ({
            name, chosen: index === level, choose: () => { this.#source.level = index; },
          }))],
      },
      {
        name: 'Speed',
        choices: speeds.map((speed) => ({
          name: speed === 1 ? 'Normal' : `${speed}×`, chosen: speed === this.#media.playbackRate,
          choose: () => this.setSpeed(speed),
        })),
      },
      { name: 'Help', choices: [{ name: 'Keyboard', choose: () => this.showKeys() }] },
    ];
  }

  #fail() {
    const reason = navigator.onLine === false ? 'You are offline.' :
      'The browser cannot play it, or the link to it has expired. Load the page again.';
    this.#stage.classList.add('broken');
    this.#stage.append(make('div', { class: 'message', role: 'alert' },
      make('p', { class: 'heading' }, 'This cannot be played'), make('p', {}, reason)));
  }

  /** Tells the system what is playing, for its own controls. */
  #announce(title) {
    if (!navigator.mediaSession || !window.MediaMetadata) return;
    const { poster } = this.#stage.dataset;
    this.#media.addEventListener('play', () => {
      navigator.mediaSession.metadata = new MediaMetadata({ title, artwork: poster ? [{ src: poster }] : [] });
      navigator.mediaSession.setActionHandler('seekbackward', () => this.seekBy(-10));
      navigator.mediaSession.setActionHandler('seekforward', () => this.seekBy(10));
    });
  }
}

function button(name, sign, keys) {
  return make('button', {
    type: 'button', class: 'control', 'aria-label': name, title: name, 'aria-keyshortcuts': keys, 'data-sign': sign,
  }, icon(sign));
}

/** Gives a button another name and sign. */
function change(element, name, sign) {
  if (element.getAttribute('aria-label') !== name) {
    element.setAttribute('aria-label', name);
    element.title = name;
  }
  if (element.dataset.sign !== sign) {
    element.dataset.sign = sign;
    element.replaceChildren(icon(sign));
  }
}
