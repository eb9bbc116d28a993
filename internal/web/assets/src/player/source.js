/* global WORKER_FILES -- label → file name, set by build.mjs */

const maxRecoveries = 2; // in a row, of the browser's decoder

/**
 * Connects an element with what it plays: HLS by hls.js, else HLS by the browser itself, else a progressive file.
 * hls.js is asked first: Chromium says that it may play HLS, and then lacks half of it.
 *
 * It sends to the stage: `levels` when the picture sizes are known or another is chosen, and `failed`.
 */
export class Source {
  #stage;
  #media;
  #hls;
  #loaded;
  #ended = false;
  #recoveries = 0;
  #files;

  constructor(stage, media) {
    this.#stage = stage;
    this.#media = media;
    this.#files = [...media.querySelectorAll('source')].filter((s) => !isHLS(s.type));
    // Until load, nothing is fetched. The browser must not choose among the sources either.
    media.querySelectorAll('source').forEach((s) => s.remove());
    media.addEventListener('error', () => {
      if (!this.#recovers(media.error?.code === MediaError.MEDIA_ERR_DECODE)) this.#fallBack();
    });
    media.addEventListener('playing', () => { this.#recoveries = 0; });
  }

  /** Loads what is to play, once. */
  load() {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  async play() {
    await this.load();
    try {
      await this.#media.play();
    } catch (e) {
      // Another call has paused it or changed the source, or the browser wants a click first.
      if (e.name !== 'AbortError' && e.name !== 'NotAllowedError') this.#fallBack();
    }
  }

  /** The picture sizes to choose from, best first; none if there is no choice. */
  get levels() {
    const levels = (this.#hls?.levels ?? []).map(({ width, height }, index) => ({
      index, name: `${Math.min(width, height)}p`, size: width * height,
    }));
    return levels.length > 1 ? levels.sort((a, b) => b.size - a.size) : [];
  }

  /** The index of the chosen level; -1: the best for the connection and the size on the screen. */
  get level() { return this.#hls?.autoLevelEnabled === false ? this.#hls.manualLevel : -1; }

  set level(index) {
    this.#hls.nextLevel = index;
    this.#tell('levels');
  }

  /** The name of the level that is playing; '' if it is unknown. */
  get playing() {
    const level = this.#hls?.levels[this.#hls.currentLevel];
    return level?.height ? `${Math.min(level.width, level.height)}p` : '';
  }

  end() {
    this.#ended = true;
    this.#hls?.destroy();
    this.#hls = undefined;
  }

  async #load() {
    const { hls: playlist } = this.#stage.dataset;
    if (!playlist) {
      this.#playFile();
      return;
    }
    let Hls;
    try {
      ({ default: Hls } = await import('hls.js'));
    } catch {
      // The server has been upgraded or is down. The browser may still play the playlist or a file.
    }
    if (this.#ended) return;
    if (Hls?.isSupported()) {
      await this.#playByScript(Hls, playlist);
    } else if (this.#media.canPlayType('application/vnd.apple.mpegurl')) {
      this.#media.preload = 'metadata';
      this.#media.src = playlist;
    } else {
      this.#playFile();
    }
  }

  #playByScript(Hls, playlist) {
    const hls = new Hls({
      workerPath: new URL(WORKER_FILES.hls, import.meta.url).href,
      capLevelToPlayerSize: true,
      abrEwmaDefaultEstimate: 2_500_000, // bit/s, before the first measurement: enough for 720p
      maxBufferLength: 20,
      backBufferLength: 60,
    });
    this.#hls = hls;
    hls.on(Hls.Events.ERROR, (_, { fatal, type }) => {
      if (fatal && this.#hls === hls && !this.#recovers(type === Hls.ErrorTypes.MEDIA_ERROR)) this.#fallBack();
    });
    const told = () => this.#tell('levels');
    hls.on(Hls.Events.LEVEL_SWITCHED, told);
    hls.on(Hls.Events.MANIFEST_PARSED, told);
    const attached = new Promise((resolve) => { hls.once(Hls.Events.MEDIA_ATTACHED, resolve); });
    hls.loadSource(playlist);
    hls.attachMedia(this.#media);
    return attached;
  }

  /** Lets hls.js begin anew after an error of the decoder, if that may help. */
  #recovers(isDecoder) {
    if (!isDecoder || !this.#hls || this.#recoveries++ >= maxRecoveries) return false;
    this.#hls.recoverMediaError();
    return true;
  }

  /** Plays the next progressive file from where the last source stopped. */
  #fallBack() {
    if (this.#ended) return;
    const { currentTime, paused } = this.#media;
    this.#hls?.destroy();
    this.#hls = undefined;
    this.#tell('levels');
    if (!this.#playFile()) return;
    if (currentTime > 0) {
      this.#media.addEventListener('loadedmetadata', () => { this.#media.currentTime = currentTime; }, { once: true });
    }
    if (!paused) this.#media.play().catch(() => {});
  }

  #playFile() {
    const file = this.#files.shift();
    if (!file) {
      this.#ended = true;
      this.#tell('failed');
      return false;
    }
    this.#media.preload = 'metadata';
    this.#media.src = file.src;
    return true;
  }

  #tell(what) { this.#stage.dispatchEvent(new CustomEvent(what)); }
}

const isHLS = (type) => /mpegurl/i.test(type);
