/** Makes an element with attributes and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const svg = 'http://www.w3.org/2000/svg';

// Paths on a field of 24 × 24.
const paths = {
  play: 'M7 4.6v14.8a.9.9 0 0 0 1.37.77l11.9-7.4a.9.9 0 0 0 0-1.54L8.37 3.83A.9.9 0 0 0 7 4.6Z',
  pause: 'M7 4h3a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1Zm7 0h3a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1h-3a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1Z',
  again: 'M12 5V2.2a.6.6 0 0 0-1-.45L6.9 5.5a.6.6 0 0 0 0 .9L11 10.2a.6.6 0 0 0 1-.45V7a6 6 0 1 1-6 6 1 1 0 1 0-2 0 8 8 0 1 0 8-8Z',
  loud: 'M11 4.9v14.2a.9.9 0 0 1-1.5.66L5.6 16H3a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1h2.6l3.9-3.76A.9.9 0 0 1 11 4.9Zm3.2 3.3a1 1 0 0 1 1.4.2 6 6 0 0 1 0 7.2 1 1 0 0 1-1.6-1.2 4 4 0 0 0 0-4.8 1 1 0 0 1 .2-1.4Zm3-3.2a1 1 0 0 1 1.4.2 11 11 0 0 1 0 13.6 1 1 0 0 1-1.6-1.2 9 9 0 0 0 0-11.2 1 1 0 0 1 .2-1.4Z',
  mute: 'M11 4.9v14.2a.9.9 0 0 1-1.5.66L5.6 16H3a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1h2.6l3.9-3.76A.9.9 0 0 1 11 4.9Zm4.3 3.9a1 1 0 0 0-1.4 1.4l1.8 1.8-1.8 1.8a1 1 0 0 0 1.4 1.4l1.8-1.8 1.8 1.8a1 1 0 0 0 1.4-1.4L18.5 12l1.8-1.8a1 1 0 0 0-1.4-1.4l-1.8 1.8-1.8-1.8Z',
  captions: 'M5 4h14a3 3 0 0 1 3 3v10a3 3 0 0 1-3 3H5a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3Zm3.5 5A3 3 0 0 0 6 12a3 3 0 0 0 4.6 2.5.9.9 0 1 0-1-1.5 1.2 1.2 0 1 1 0-2 .9.9 0 1 0 1-1.5A3 3 0 0 0 8.5 9Zm7 0a3 3 0 0 0-2.5 3 3 3 0 0 0 4.6 2.5.9.9 0 1 0-1-1.5 1.2 1.2 0 1 1 0-2 .9.9 0 1 0 1-1.5A3 3 0 0 0 15.5 9Z',
  settings: 'M10.3 2.6a1 1 0 0 1 1-.8h1.4a1 1 0 0 1 1 .8l.4 2a7.7 7.7 0 0 1 1.5.9l2-.7a1 1 0 0 1 1.2.45l.7 1.2a1 1 0 0 1-.2 1.25l-1.6 1.35a7.8 7.8 0 0 1 0 1.9l1.6 1.35a1 1 0 0 1 .2 1.25l-.7 1.2a1 1 0 0 1-1.2.45l-2-.7a7.7 7.7 0 0 1-1.5.9l-.4 2a1 1 0 0 1-1 .8h-1.4a1 1 0 0 1-1-.8l-.4-2a7.7 7.7 0 0 1-1.5-.9l-2 .7a1 1 0 0 1-1.2-.45l-.7-1.2a1 1 0 0 1 .2-1.25l1.6-1.35a7.8 7.8 0 0 1 0-1.9L4.7 7.7a1 1 0 0 1-.2-1.25l.7-1.2a1 1 0 0 1 1.2-.45l2 .7a7.7 7.7 0 0 1 1.5-.9l.4-2ZM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z',
  picture: 'M5 4h14a3 3 0 0 1 3 3v4h-2V7a1 1 0 0 0-1-1H5a1 1 0 0 0-1 1v10a1 1 0 0 0 1 1h5v2H5a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3Zm9 9h6a2 2 0 0 1 2 2v3a2 2 0 0 1-2 2h-6a2 2 0 0 1-2-2v-3a2 2 0 0 1 2-2Z',
  full: 'M5 3h4a1 1 0 1 1 0 2H5v4a1 1 0 1 1-2 0V5a2 2 0 0 1 2-2Zm10 0h4a2 2 0 0 1 2 2v4a1 1 0 1 1-2 0V5h-4a1 1 0 1 1 0-2ZM4 14a1 1 0 0 1 1 1v4h4a1 1 0 1 1 0 2H5a2 2 0 0 1-2-2v-4a1 1 0 0 1 1-1Zm16 0a1 1 0 0 1 1 1v4a2 2 0 0 1-2 2h-4a1 1 0 1 1 0-2h4v-4a1 1 0 0 1 1-1Z',
  small: 'M9 3a1 1 0 0 1 1 1v4a2 2 0 0 1-2 2H4a1 1 0 1 1 0-2h4V4a1 1 0 0 1 1-1Zm6 0a1 1 0 0 1 1 1v4h4a1 1 0 1 1 0 2h-4a2 2 0 0 1-2-2V4a1 1 0 0 1 1-1ZM4 14h4a2 2 0 0 1 2 2v4a1 1 0 1 1-2 0v-4H4a1 1 0 1 1 0-2Zm12 0h4a1 1 0 1 1 0 2h-4v4a1 1 0 1 1-2 0v-4a2 2 0 0 1 2-2Z',
  check: 'M20.3 6.3a1 1 0 0 1 0 1.4l-10 10a1 1 0 0 1-1.4 0l-5-5a1 1 0 1 1 1.4-1.4l4.3 4.3 9.3-9.3a1 1 0 0 1 1.4 0Z',
};

export function icon(name) {
  const drawing = document.createElementNS(svg, 'svg');
  for (const [key, value] of Object.entries({ viewBox: '0 0 24 24', 'aria-hidden': 'true', class: 'icon' })) {
    drawing.setAttribute(key, value);
  }
  const path = document.createElementNS(svg, 'path');
  path.setAttribute('d', paths[name]);
  drawing.append(path);
  return drawing;
}

/** A time as people write it: 1:02:03 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** What the viewer has set, kept by the browser if it keeps anything. */
export const memory = {
  get(name) {
    try {
      return JSON.parse(localStorage.getItem(`itemcast.${name}`)) ?? undefined;
    } catch {
      return undefined;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`itemcast.${name}`, JSON.stringify(value));
    } catch {
      // A frame of another site may have no storage.
    }
  },
};
