// Gives Monaco its web workers. It must be imported before Monaco.

/* global WORKER_FILES -- label → file name, set by build.mjs */

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    const file = WORKER_FILES[label] ?? WORKER_FILES.editor;
    return new Worker(new URL(file, import.meta.url), { name: label });
  },
};
