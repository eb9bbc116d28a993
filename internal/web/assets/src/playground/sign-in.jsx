// The sign-in form, and the button that opens it.

import { useEffect, useRef, useState } from 'react';
import { home } from './page.js';
import { basicIdentity, closeSignIn, openSignIn, setBrowserUser, signIn, signOut, useSession } from './session.js';
import { checkIdentity, endBrowserSession, fetchBrowserUser } from './transport.js';

export function SignInButton() {
  const { identity, browserUser } = useSession();
  useEffect(() => { fetchBrowserUser().then(setBrowserUser); }, []);
  if (!identity && browserUser) {
    const endSession = () => endBrowserSession().then(setBrowserUser);
    return (
      <>
        <a className="account-name" href={`${home}api/v1/me`} title={browserUser}>{browserUser}</a>
        <button type="button" className="account-button" onClick={endSession}>Sign out</button>
      </>
    );
  }
  if (!identity) {
    return <button type="button" className="account-button" onClick={() => openSignIn()}>Sign in</button>;
  }
  return (
    <>
      <span className="account-name" title={identity.email}>{identity.email}</span>
      <button type="button" className="account-button" onClick={signOut} title={`Signed in as ${identity.email}`}>
        Sign out
      </button>
    </>
  );
}

export function SignInDialog({ endpoint }) {
  const { isSigningIn, reason } = useSession();
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const dialog = useRef(null);

  useEffect(() => {
    if (isSigningIn && !dialog.current.open) {
      setProblem('');
      dialog.current.showModal();
    }
    if (!isSigningIn) dialog.current.close();
  }, [isSigningIn]);

  async function submit(event) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const identity = basicIdentity(form.get('email').trim(), form.get('password'));
    setBusy(true);
    const refusal = await checkIdentity(endpoint, identity);
    setBusy(false);
    setProblem(refusal);
    if (!refusal) signIn(identity);
  }

  return (
    <dialog ref={dialog} className="sign-in" aria-labelledby="sign-in-title" onClose={closeSignIn}>
      {isSigningIn && (
        <form onSubmit={submit}>
          <h1 id="sign-in-title">Sign in to Itemcast</h1>
          <p className="sign-in-hint">{reason || 'The playground sends these credentials with every request.'}</p>
          <label>
            Email
            <input name="email" type="email" autoComplete="username" required autoFocus />
          </label>
          <label>
            Password
            <input name="password" type="password" autoComplete="current-password" required />
          </label>
          {problem && <p className="sign-in-problem" role="alert">{problem}</p>}
          <div className="sign-in-actions">
            <button type="button" className="quiet" onClick={closeSignIn}>Not now</button>
            <button type="submit" disabled={isBusy}>{isBusy ? 'Signing in…' : 'Sign in'}</button>
          </div>
          <p className="sign-in-note">Only this tab stores them, until you close it.</p>
        </form>
      )}
    </dialog>
  );
}
