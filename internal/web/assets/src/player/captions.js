import { memory } from './dom.js';

/** The subtitles of an element: those of its <track>s and those of its playlist. */
export class Captions {
  #media;

  constructor(media, changed) {
    this.#media = media;
    this.#name();
    const tracks = media.textTracks;
    for (const event of ['addtrack', 'removetrack', 'change']) {
      tracks.addEventListener(event, () => {
        this.#name();
        changed();
      });
    }
    this.#borrow().then(() => {
      const wanted = memory.get('captions');
      if (wanted) this.show(this.tracks.find(({ language }) => language === wanted));
    });
  }

  get tracks() { return [...this.#media.textTracks].filter(({ kind }) => kind === 'subtitles' || kind === 'captions'); }

  get shown() { return this.tracks.find(({ mode }) => mode === 'showing'); }

  /** Shows one of the tracks, or none. */
  show(track) {
    for (const other of this.tracks) other.mode = other === track ? 'showing' : 'disabled';
  }

  choose(track) {
    memory.set('captions', track?.language ?? '');
    this.show(track);
  }

  toggle() {
    const wanted = memory.get('captions');
    this.choose(this.shown ? undefined : this.tracks.find(({ language }) => language === wanted) ?? this.tracks[0]);
  }

  /** Languages by their own names. Two tracks of one language get numbers. */
  #name() {
    const seen = {};
    for (const track of this.#media.querySelectorAll('track[srclang]')) {
      const name = nameOf(track.srclang);
      seen[name] = (seen[name] ?? 0) + 1;
      track.label = seen[name] > 1 ? `${name} ${seen[name]}` : name;
    }
  }

  /** Tracks of other origins: an element loads them only if all its files allow it, so the page fetches them itself. */
  async #borrow() {
    const foreign = [...this.#media.querySelectorAll('track')]
      .filter(({ src }) => src && new URL(src).origin !== location.origin);
    await Promise.all(foreign.map(async (track) => {
      try {
        const answer = await fetch(track.src);
        if (answer.ok) track.src = URL.createObjectURL(await answer.blob());
      } catch {
        track.remove(); // its server does not allow it
      }
    }));
  }
}

function nameOf(language) {
  try {
    const name = new Intl.DisplayNames([language], { type: 'language' }).of(language);
    return name[0].toLocaleUpperCase(language) + name.slice(1);
  } catch {
    return language;
  }
}
