// The pages that play an item. Without this script they have the browser's own controls.

import './player.css';
import { follow } from './follow.js';
import { start } from './start.js';
import { enableSharing } from './share.js';

let show = document.getElementById('show');
let played = show && start(show);
enableSharing();

if (show) {
  follow(show, (next) => {
    if (!next) {
      location.reload();
      return;
    }
    // What somebody is watching goes on. A file never changes at its address.
    if (played?.hasBegun()) return;
    played?.end();
    show.replaceWith(next);
    show = next;
    played = start(show);
    enableSharing();
  });
}
