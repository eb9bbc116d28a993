import { Source } from './source.js';
import { Controls } from './controls.js';

/** Plays the stage of a show, if it has one. Returns what ends it again. */
export function start(show) {
  const stage = show.querySelector('.stage');
  const media = stage?.querySelector('video, audio');
  if (!media) return undefined;
  let begun = false;
  media.addEventListener('play', () => { begun = true; });
  const source = new Source(stage, media);
  const controls = new Controls(stage, media, source, show.dataset.title);
  startAt(media);
  // A page with many frames loads none of them until somebody comes near.
  if (document.body.classList.contains('embed')) {
    for (const event of ['pointerenter', 'focusin', 'touchstart']) {
      stage.addEventListener(event, () => source.load(), { once: true, passive: true });
    }
  } else {
    source.load();
  }
  return {
    hasBegun: () => begun,
    end() {
      controls.end();
      source.end();
    },
  };
}

/** An address may name a time, in seconds (Media Fragments URI): #t=90 */
function startAt(media) {
  const seconds = Number(new URLSearchParams(location.hash.slice(1)).get('t'));
  if (seconds > 0) {
    media.addEventListener('loadedmetadata', () => { media.currentTime = seconds; }, { once: true });
  }
}
