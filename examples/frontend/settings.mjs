// The settings, from the environment or .env.local, and endings that say which of them is wrong.
import { loadEnv } from 'vite';

const env = loadEnv('development', '.');
export const token = env.VITE_ITEMCAST_TOKEN;
export const server = env.VITE_ITEMCAST_URL?.replace(/\/+$/, '');
export const origin = originOf(env.VITE_PAGE_ORIGIN || 'http://localhost:5173');

// end ends the command with one line on standard error.
export function end(line) {
  console.error(line);
  process.exit(1);
}

// originOf returns an origin as browsers send it: without a slash at its end.
function originOf(url) {
  const { origin, protocol } = URL.canParse(url) ? new URL(url) : {};
  if (!/^https?:$/.test(protocol)) end(`VITE_PAGE_ORIGIN=${url} is not an origin such as http://localhost:5173`);
  return origin;
}
