// Serves the page at the origin that the token names. A page that is published over https is developed at port 5173.
import { defineConfig } from 'vite';
import { origin } from './settings.mjs';

const { protocol, hostname, port } = new URL(origin);
const at = protocol === 'http:' ? { host: hostname, port: Number(port) || 80 } : { port: 5173 };

export default defineConfig({ server: { ...at, strictPort: true }, preview: { ...at, strictPort: true } });
