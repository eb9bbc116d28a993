// Tells Monaco where its web workers are. Must be imported before Monaco.

/* global WORKER_FILES -- label → file name, filled in by build.mjs */

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    const file = WORKER_FILES[label] ?? WORKER_FILES.editor;
    return new Worker(new URL(file, import.meta.url), { name: label });
  },
};
