// The user of the playground: the user who signed in on this page, or else the user of the browser's session.
//
// The credentials are in sessionStorage: closing the tab removes them, and no other tab can read them.

import { useSyncExternalStore } from 'react';

const KEY = 'itemcast.playground.session';

let state = { identity: load(), browserUser: '', isSigningIn: false, reason: '' };
const listeners = new Set();

export function useSession() {
  return useSyncExternalStore(subscribe, () => state);
}

/** Opens the sign-in form. `reason` is shown to the user. */
export function openSignIn(reason = '') {
  set({ ...state, isSigningIn: true, reason });
}

/** Closes the sign-in form. */
export function closeSignIn() {
  set({ ...state, isSigningIn: false, reason: '' });
}

export function signIn(identity) {
  sessionStorage.setItem(KEY, JSON.stringify(identity));
  set({ ...state, identity, isSigningIn: false, reason: '' });
}

export function signOut() {
  sessionStorage.removeItem(KEY);
  set({ ...state, identity: null, isSigningIn: !state.browserUser, reason: '' });
}

/** Sets the user of the browser's session, who needs no sign-in here. `email` is '' when nobody is signed in. */
export function setBrowserUser(email) {
  set({ ...state, browserUser: email });
}

/** Returns an identity with HTTP Basic credentials, in UTF-8 (RFC 7617 §2.1). */
export function basicIdentity(email, password) {
  const bytes = new TextEncoder().encode(`${email}:${password}`);
  return { email, authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

function load() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEY));
    return stored?.email && stored?.authorization ? stored : null;
  } catch {
    return null; // another program wrote it, or storage is off
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
