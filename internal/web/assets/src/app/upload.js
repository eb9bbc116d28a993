const delays = [0, 1000, 3000, 5000, 10000, 20000, 30000]; // milliseconds between attempts

/**
 * Files that are dropped on the page, or chosen, become items. Each is sent by tus 1.0, so that a lost connection costs
 * nothing: the same file, chosen again later, goes on where it stopped. The code of tus is loaded with the first file.
 */
export function uploading(zone) {
  if (!zone) return;
  zone.hidden = false;
  const send = (file) => {
    const line = entry(zone, file.name, zone.dataset.stop);
    sendResumably(zone, line, file, { filename: file.name }, ({ state }, item) => {
      const link = document.createElement('a');
      link.href = `${zone.dataset.items}/${item}`;
      link.textContent = zone.dataset.done;
      state.replaceChildren(link);
    });
  };
  const input = zone.querySelector('input[type=file]');
  input.addEventListener('change', () => {
    for (const file of input.files) send(file);
    input.value = '';
  });
  onDrop(zone, send);
}

/** Calls send with each file that is dropped anywhere on the page; the zone shows that it takes them. */
export function onDrop(zone, send) {
  for (const type of ['dragenter', 'dragover']) {
    document.addEventListener(type, (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      zone.classList.add('over');
    });
  }
  document.addEventListener('dragleave', ({ relatedTarget }) => { if (!relatedTarget) zone.classList.remove('over'); });
  document.addEventListener('drop', (event) => {
    zone.classList.remove('over');
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    for (const file of event.dataTransfer.files) send(file);
  });
}

/** Sends a file with its metadata, shows the progress in a line, and calls done with the id of the item. */
export async function sendResumably(zone, shown, file, metadata, done) {
  const { line, bar, state, button } = shown;
  const { Upload } = await import('tus-js-client');
  let item;
  const upload = new Upload(file, {
    endpoint: zone.dataset.endpoint,
    metadata,
    retryDelays: delays,
    removeFingerprintOnSuccess: true,
    // The same file for another item, or as another kind, is another upload.
    fingerprint: async ({ name, size, lastModified }, { endpoint }) => ['tus', endpoint, name, size, lastModified,
      ...Object.values(metadata)].join(' '),
    onAfterResponse: (_, response) => { item = response.getHeader('Itemcast-Item-Id') ?? item; },
    onProgress: (sent, size) => {
      bar.value = size ? sent / size : 1;
      state.textContent = `${Math.floor(bar.value * 100)} %`;
    },
    onError: (error) => {
      line.classList.add('bad');
      state.textContent = reason(error);
      button.textContent = zone.dataset.retry;
      button.onclick = () => {
        const again = entry(zone, file.name, zone.dataset.stop);
        line.replaceWith(again.line);
        sendResumably(zone, again, file, metadata, done);
      };
    },
    onSuccess: () => {
      bar.remove();
      button.remove();
      done(shown, item);
    },
  });
  button.onclick = async () => {
    line.remove();
    await upload.abort(true).catch(() => {}); // the server forgets it after a day in any case
  };
  const [previous] = await upload.findPreviousUploads();
  if (previous) upload.resumeFromPreviousUpload(previous);
  upload.start();
}

/** A line of the list: the name, a bar, the state and a button. */
export function entry(zone, name, stop) {
  const line = document.createElement('li');
  const title = document.createElement('span');
  title.className = 'file';
  title.textContent = name;
  const bar = document.createElement('progress');
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute('aria-label', name);
  const state = document.createElement('span');
  state.className = 'faint';
  state.setAttribute('role', 'status');
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = stop;
  line.append(title, bar, state, button);
  zone.querySelector('ul').append(line);
  return { line, bar, state, button };
}

/** Says why an upload ended: what the server wrote, or that it cannot be reached. */
export function reason(error) {
  try {
    return JSON.parse(error.originalResponse.getBody()).detail;
  } catch {
    return document.body.dataset.failed;
  }
}
