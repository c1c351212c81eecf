/** A cluster of services on one directory, killed and started again one after the other. */
import cluster from 'node:cluster';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceOptions } from './service-options.ts';
import { OPTIONS_VARIABLE } from './service-options.ts';

const [workers = 2, kills = 10, everyMillis = 300] = process.argv.slice(2).map(Number);
const options: ServiceOptions = JSON.parse(process.env[OPTIONS_VARIABLE] ?? '{}');
cluster.setupPrimary({ exec: join(import.meta.dirname, 'service.ts') });

let forked = 0;
function fork(): void {
  const firstSpan = options.firstSpan + forked * 100_000;
  forked += 1;
  cluster.fork({ [OPTIONS_VARIABLE]: JSON.stringify({ ...options, firstSpan }) });
}

const living = () => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
const send = (signal: NodeJS.Signals) => {
  for (const worker of living()) worker.process.kill(signal);
};

const working = new Set<number>();
cluster.on('message', ({ id }) => working.add(id));

let killed = 0;
let ending = false;
cluster.on('exit', () => {
  if (!ending) fork();
  else if (living().length === 0) process.exit(0);
});
for (let i = 0; i < workers; i++) fork();

const rolling = setInterval(() => {
  if (killed === kills) {
    clearInterval(rolling);
    writeSync(1, 'rolled\n');
    return;
  }
  // The oldest goes.
  const [oldest] = living().sort((a, b) => a.id - b.id);
  if (oldest !== undefined && working.has(oldest.id) && living().length === workers) {
    killed += 1;
    oldest.process.kill('SIGKILL');
  }
}, everyMillis);

process.on('SIGHUP', () => send('SIGHUP'));
process.once('SIGTERM', () => {
  ending = true;
  send('SIGTERM');
});
writeSync(1, 'ready\n');
