// The pages for people who are signed in. They work without this script. It adds: the list while typing (htmx), rows and
// sections that follow changes, times in the browser's zone, copying, uploads, and protection of
// forms against double clicks.

import './app.css';
import 'htmx.org';
import { attaching } from './attach.js';
import { copying } from './copy.js';
import { guardForms } from './form.js';
import { itemPage } from './item.js';
import { list } from './list.js';
import { liveFeed } from './live.js';
import { following } from './parts.js';
import { report } from './report.js';
import { localTimes } from './time.js';
import { uploading } from './upload.js';
import { runList } from './workflows.js';

localTimes(document);
guardForms();
copying(document);
list(document.getElementById('results'));
itemPage(document.getElementById('item'));
liveFeed(document.getElementById('live'));
runList(document.getElementById('workflows'));
following(document.querySelector('[data-follows]'));
uploading(document.getElementById('upload'));
attaching(document.getElementById('attach'));

// htmx has put a new list, or another part, into the page.
document.addEventListener('htmx:afterSettle', ({ target }) => {
  localTimes(target);
  if (target.id === 'results') list(target);
});
document.addEventListener('htmx:responseError', ({ detail }) => report(detail.xhr.status));
document.addEventListener('htmx:sendError', () => report(0));
