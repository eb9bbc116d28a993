import { entry, onDrop, reason, sendResumably } from './upload.js';

/**
 * Files for an item that exists. The form is sent in pieces and with progress; dropped files go the same way. Pictures
 * become the poster, subtitles are known by their names, and a file that would replace the original asks first.
 */
export function attaching(zone) {
  if (!zone) return;
  const [fileForm, pictureForm] = zone.querySelectorAll('form');
  const { kind, language } = fileForm.elements;
  const take = (form, send) => form.addEventListener('submit', (event) => {
    event.preventDefault();
    const input = form.elements.namedItem('file');
    for (const file of input.files) send(file);
    form.reset();
    delete form.dataset.changed;
  });
  take(fileForm, (file) => ask(zone, file, kind.value, language.value));
  take(pictureForm, (file) => sendPicture(zone, file));
  onDrop(zone, (file) => {
    if (file.type.startsWith('image/')) sendPicture(zone, file);
    else if (/\.(vtt|srt)$/i.test(file.name)) ask(zone, file, 'subtitle', language.value || languageOf(file.name));
    else ask(zone, file, 'source', '');
  });
}

/** film.de.srt is in German. */
const languageOf = (name) => name.match(/\.([a-z]{2,3}(?:-[A-Za-z0-9]+)*)\.[a-z]+$/i)?.[1] ?? '';

function ask(zone, file, kind, language) {
  const metadata = { filename: file.name, item_id: zone.dataset.item, kind };
  if (language) metadata.language = language;
  const line = entry(zone, file.name, zone.dataset.stop);
  const start = () => sendResumably(zone, line, file, metadata, ({ state }) => {
    state.textContent = zone.dataset.done;
    if (kind === 'source') zone.dataset.hasSource = '';
  });
  if (kind !== 'source' || !('hasSource' in zone.dataset)) {
    start();
    return;
  }
  const { bar, state, button } = line;
  const confirm = document.createElement('button');
  confirm.type = 'button';
  confirm.className = 'danger';
  confirm.textContent = zone.dataset.replaces;
  confirm.onclick = () => { confirm.remove(); bar.hidden = false; start(); };
  bar.hidden = true;
  state.after(confirm);
  button.onclick = () => line.line.remove();
  confirm.focus();
}

function sendPicture(zone, file) {
  const { line, bar, state, button } = entry(zone, file.name, zone.dataset.stop);
  const body = new FormData();
  body.append('poster', 'true');
  body.append('file', file);
  const request = new XMLHttpRequest(); // fetch tells no progress
  request.open('POST', zone.dataset.snapshots);
  request.setRequestHeader('Accept', 'application/json');
  request.upload.onprogress = ({ loaded, total }) => {
    bar.value = total ? loaded / total : 0;
    state.textContent = `${Math.floor(bar.value * 100)} %`;
  };
  request.onloadend = () => {
    button.remove();
    if (request.status === 201) {
      bar.remove();
      state.textContent = zone.dataset.done;
    } else {
      line.classList.add('bad');
      state.textContent = reason({ originalResponse: { getBody: () => request.responseText } });
    }
  };
  button.onclick = () => { request.onloadend = null; request.abort(); line.remove(); };
  request.send(body);
}
