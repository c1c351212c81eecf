/**
 * `node --import otel-circuit-breaker/attach app.js`: puts circuit breakers around the exporters of whatever SDK the
 * process registers with OpenTelemetry's API. Exports nothing; the environment configures it.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Attachment } from './attach.ts';
import { reasonOf, warn } from './say.ts';

const ATTACHED = Symbol.for('otel-circuit-breaker.attach');

function attachOnce(): void {
  // Both module formats of a copy are in one folder. In CommonJS the build puts `__filename` for the URL.
  const url = import.meta.url;
  const folder = dirname(url.startsWith('file:') ? fileURLToPath(url) : url);
  const holder = globalThis as { [ATTACHED]?: string };
  const first = holder[ATTACHED];
  if (first === undefined) {
    holder[ATTACHED] = folder;
    new Attachment().begin();
  } else if (first !== folder) {
    warn(`${first} is attached to this process already; the copy in ${folder} does nothing`);
  }
}

try {
  attachOnce();
} catch (error) {
  warn(`does nothing, the application is not affected: ${reasonOf(error)}`);
}
