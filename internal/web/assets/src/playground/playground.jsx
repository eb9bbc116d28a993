// The GraphQL playground: GraphiQL against this server, with sign-in.

import './workers.js';
import { editorTheme } from './theme.js';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useEffect, useMemo } from 'react';
import { createRoot } from 'react-dom/client';
import { tabs } from './operations/index.js';
import { endpoint, given, home, root } from './page.js';
import { openSignIn, useSession } from './session.js';
import { SignInButton, SignInDialog } from './sign-in.jsx';
import { createTransport } from './transport.js';

import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import '@graphiql/plugin-explorer/style.css';
import 'graphiql/graphiql.css';
import './playground.css';

const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];

function Playground({ endpoint, home }) {
  const { identity } = useSession();
  const reason = identity ? 'The server no longer accepts this password. Sign in again.' : 'Sign in to use the API.';
  const transport = useMemo(
    () => createTransport({ endpoint, identity, onRefused: () => openSignIn(reason) }),
    [endpoint, identity],
  );
  useEffect(() => transport.close, [transport]);

  return (
    <>
      <GraphiQL
        fetcher={transport.fetcher}
        plugins={plugins}
        defaultTabs={given ? [{ query: given }, ...tabs] : tabs}
        initialQuery={given}
        editorTheme={editorTheme}
        defaultEditorToolsVisibility="variables"
        shouldPersistHeaders={false}
        showPersistHeadersSettings={false}
        inputValueDeprecation
        schemaDescription
      >
        <GraphiQL.Logo>
          <nav className="account" aria-label="Account">
            <a className="account-home" href={home}>Itemcast</a>
            <a className="account-name" href={`${endpoint}/schema.graphql`}>Schema</a>
            <SignInButton />
          </nav>
        </GraphiQL.Logo>
      </GraphiQL>
      <SignInDialog endpoint={endpoint} />
    </>
  );
}

createRoot(root).render(<Playground endpoint={endpoint} home={home} />);
