// What the examples in JavaScript share: arguments, waits, and endings that say why.
import { parseArgs } from 'node:util';

// end ends the example with one line on standard error.
export function end(line) {
  console.error(line);
  process.exit(1);
}

// serverURL checks the URL of a server, and returns it without a slash at its end.
export function serverURL(url, usage) {
  if (!url) end(`usage: ${usage}`);
  if (!URL.canParse(url) || !url.startsWith('http')) end(`${url} is not a URL such as http://127.0.0.1:8080`);
  return url.replace(/\/+$/, '');
}

// basic returns the header Authorization of EMAIL:PASSWORD.
export function basic(credentials, usage) {
  if (!credentials) end(`usage: ${usage}`);
  if (!credentials.includes(':')) end('The credentials must be EMAIL:PASSWORD');
  return 'Basic ' + Buffer.from(credentials).toString('base64');
}

// bearer returns the header Authorization of an access token.
export function bearer(token, usage) {
  if (!token) end(`usage: ${usage}`);
  return `Bearer ${token}`;
}

// why says why a token gets nothing over a WebSocket, which cannot say more than a few words: it asks over REST, too.
export async function why(error, server, authorization) {
  const first = Array.isArray(error) ? error[0] : error;
  const url = `${server}/api/v1/items?limit=1`;
  const response = await fetch(url, { headers: { authorization } }).catch(() => null);
  const { detail } = (await response?.json().catch(() => null)) ?? {};
  if (detail && [401, 403].includes(response.status)) return `${server} refuses the token: ${detail}`;
  if (response?.ok) return `The subscription has ended: ${first?.reason || reason(first)}`;
  return `${url} ${response ? `answers ${response.status}` : `cannot be reached: ${reason(first)}`}`;
}

// refusal says why another attempt would get the same status; it is empty when an attempt may succeed.
export function refusal(status, url) {
  if (status === 401) return 'The server refuses the credentials: check EMAIL:PASSWORD';
  if (status === 403) return 'The user lacks a permission: api.access and items.view are needed';
  if (status === 410) return 'The log no longer has the changes after the cursor: list the items again';
  if (status < 400 || status === 408 || status === 429 || status >= 500) return '';
  return `${url} answers ${status}: is this the URL of an Itemcast server?`;
}

// reason returns the cause of a failed connection.
export function reason(error) {
  return error?.cause?.code ?? error?.cause?.message ?? error?.code ?? error?.message ?? String(error);
}

// pause waits before an attempt to reconnect: 0.1 s before the first, number 0, then twice as long each time, up to
// 10 s. A random part, up to a half, spreads the clients of a server that restarts.
export function pause(number) {
  const longest = Math.min(100 * 2 ** number, 10_000);
  return new Promise((resolve) => setTimeout(resolve, longest * (1 - Math.random() / 2)));
}

// connection says on standard error when the connection is away and when it is back. made is whether there was one.
export const connection = {
  made: false,
  away: false,
  lost() {
    if (!this.away) console.error('The connection is away. Trying again until it is back, or until Ctrl-C.');
    this.away = true;
  },
  open() {
    if (this.away) console.error('The connection is back.');
    Object.assign(this, { made: true, away: false });
  },
};

// options parses the command line: positional arguments, and options with a text as value.
export function options(usage, names) {
  const described = Object.entries(names).map(([name, option]) => [name, { type: 'string', ...option }]);
  try {
    return parseArgs({ allowPositionals: true, options: Object.fromEntries(described) });
  } catch {
    return end(`usage: ${usage}`);
  }
}
