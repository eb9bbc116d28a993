// Who the playground acts as: the person who signed in on this page, or whomever the browser already is.
//
// The credentials live in sessionStorage: they are gone when the tab is, and no other tab sees them.

import { useSyncExternalStore } from 'react';

const KEY = 'itemcast.playground.session';

let state = { identity: load(), browser: '', asking: false, reason: '' };
const listeners = new Set();

export function useSession() {
  return useSyncExternalStore(subscribe, () => state);
}

/** Opens the sign-in form; `reason` says why, in words for the person. */
export function askToSignIn(reason = '') {
  set({ ...state, asking: true, reason });
}

export function stopAsking() {
  set({ ...state, asking: false, reason: '' });
}

export function signIn(identity) {
  sessionStorage.setItem(KEY, JSON.stringify(identity));
  set({ ...state, identity, asking: false, reason: '' });
}

export function signOut() {
  sessionStorage.removeItem(KEY);
  set({ ...state, identity: null, asking: !state.browser, reason: '' });
}

/** Whom the browser has signed in on /login acts here without a form: `email` is '' for nobody. */
export function browserIs(email) {
  set({ ...state, browser: email });
}

/** HTTP Basic credentials, in UTF-8 (RFC 7617 §2.1). */
export function basicIdentity(email, password) {
  const bytes = new TextEncoder().encode(`${email}:${password}`);
  return { email, authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

function load() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEY));
    return stored?.email && stored?.authorization ? stored : null;
  } catch {
    return null; // not ours, or storage is off
  }
}

function set(next) {
  state = next;
  for (const listener of listeners) listener();
}

function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
