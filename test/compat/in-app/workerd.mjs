/** Serves a bundled worker with workerd: `node workerd.mjs <url of miniflare's main module> <script> <url of the receiver>`. */
import { readFileSync } from 'node:fs';

const [miniflare, script, receiver] = process.argv.slice(2);
const { Miniflare, Log, LogLevel } = await import(miniflare);

const worker = new Miniflare({
  modules: [{ type: 'ESModule', path: 'worker.mjs', contents: readFileSync(script, 'utf8') }],
  compatibilityDate: '2026-07-01',
  bindings: { RECEIVER: receiver },
  host: '127.0.0.1',
  port: 0,
  cf: false,
  log: new Log(LogLevel.WARN),
});
const url = await worker.ready;
console.log(JSON.stringify({ port: Number(url.port), version: process.argv[5] }));
process.once('SIGTERM', () => worker.dispose());
