// The page: Uppy sends each file that is chosen, and the list says how far it is. For Uppy's own window, add
// `.use(Dashboard)` of @uppy/dashboard in place of the list.
import Uppy from '@uppy/core';
import Tus from '@uppy/tus';

const { endpoint } = document.querySelector('main').dataset;
const rows = new Map();

const uppy = new Uppy({ autoProceed: true }).use(Tus, {
  endpoint,
  retryDelays: [0, 1000, 3000, 5000, 10000, 30000],
});

// A ticket lets one file in, so each file gets its own before it is sent.
uppy.addPreProcessor(async (files) => {
  for (const id of files) {
    const answer = await fetch('/ticket', { method: 'POST' });
    uppy.setFileState(id, { tus: { headers: await answer.json() } });
  }
});

uppy.on('file-added', (file) => {
  rows.set(file.id, document.querySelector('ul').appendChild(document.createElement('li')));
  show(file, 'waits');
});
uppy.on('upload-progress', (file, { bytesUploaded, bytesTotal }) => {
  show(file, `${Math.floor((100 * bytesUploaded) / bytesTotal)} %`);
});
uppy.on('upload-success', (file, { body }) => {
  show(file, `has become item ${body.xhr.getResponseHeader('Itemcast-Item-Id')}`);
});
uppy.on('upload-error', (file, error) => show(file, reason(error)));

document.querySelector('input').addEventListener('change', ({ target }) => {
  for (const file of target.files) {
    try {
      uppy.addFile({ name: file.name, type: file.type, data: file });
    } catch (error) {
      uppy.log(error); // the same file again
    }
  }
  target.value = '';
});

function show(file, text) {
  rows.get(file.id).textContent = `${file.name}: ${text}`;
}

// reason returns the words of the server, which say what to do.
function reason(error) {
  try {
    return JSON.parse(error.originalResponse.getBody()).detail;
  } catch {
    return 'The server cannot be reached. Choose the file again: its upload goes on where it stopped.';
  }
}
