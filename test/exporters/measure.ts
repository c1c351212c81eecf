import { makeCertificates } from '../collector/certificates.ts';
import { once } from '../compat/cell.ts';
import { cleanEnv, outputOf } from '../compat/command.ts';
import { newFolder } from '../compat/scratch.ts';
import { startChild } from '../support/child-process.ts';
import { within } from '../support/wait-for.ts';
import type { Exporter } from './exporters.ts';
import { installed } from './install.ts';
import type { Mode, Protocol } from './receiver.ts';
import { startReceiver } from './receiver.ts';

/** What was seen of an exporter in a situation. */
export interface Seen {
  readonly answer: 'SUCCESS' | 'FAILED' | 'nothing';
  /** Milliseconds to the answer. */
  readonly millis: number;
  readonly error?: {
    readonly name: string;
    readonly code: string | number | null;
    readonly message: string;
  };
  /** What the breaker took it for. */
  readonly classification: 'success' | 'failure' | 'invalid' | 'ignored';
  readonly cause: string | null;
  /** After three exports. */
  readonly opened: boolean;
  /** After the backend had come back; only if it had opened. */
  readonly closed?: boolean;
  /** With an export under way; `null`: not within 12 s. The second is that of the exporter alone. */
  readonly shutdownMillis: number | null;
  readonly bareShutdownMillis: number | null;
}

/** How long an answer is waited for, and a `shutdown()`. */
export interface Limits {
  readonly exportTimeoutMillis: number;
  readonly patienceMillis: number;
}

const PARTS = ['outage', 'shutdown', 'bareShutdown'];

/** Tries an exporter in a situation. */
export async function measure(exporter: Exporter, situation: Mode, limits: Limits): Promise<Seen> {
  const { app, protocol, make, signal, warm = true, onePerProcess = false } = exporter;
  const seen = (parts: readonly string[]): Promise<Partial<Seen>> =>
    runInApp({ app, protocol, script: 'probe.mjs' }, (url) => [
      make,
      signal,
      situation,
      JSON.stringify({ url, parts, warm, ...limits }),
    ]);
  const all = await Promise.all(onePerProcess ? PARTS.map((part) => seen([part])) : [seen(PARTS)]);
  return Object.assign({}, ...all) as Seen;
}

/** A script of `in-app`, the application that it runs in, and the receiver that it talks to. */
export interface InApp {
  readonly app: string;
  readonly protocol: Protocol;
  readonly script: string;
}

interface Message<T> {
  readonly mode?: Mode;
  readonly report?: T;
}

const certificates = once(async () => makeCertificates(newFolder('certificates')));

/** Runs it until it reports; it says meanwhile what the receiver has to do. */
export async function runInApp<T>(
  { app, protocol, script }: InApp,
  args: (url: string) => readonly string[],
): Promise<T> {
  const [cwd, pem] = await Promise.all([installed(app), certificates()]);
  await using receiver = await startReceiver(protocol, pem);
  await using child = await startChild(process.execPath, [script, ...args(receiver.url)], {
    cwd,
    ipc: true,
    env: {
      ...cleanEnv(),
      NODE_EXTRA_CA_CERTS: pem.caFile,
      GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: pem.caFile,
      // What these exporters would send of themselves.
      APPLICATION_INSIGHTS_NO_STATSBEAT: '1',
      APPLICATIONINSIGHTS_SDKSTATS_DISABLED: '1',
      NODE_NO_WARNINGS: '1',
    },
  });
  const report = new Promise<T>((resolve, reject) => {
    child.process.on('message', ({ mode, report: seen }: Message<T>) => {
      if (seen !== undefined) resolve(seen);
      if (mode === undefined) return;
      receiver.become(mode).then(() => child.process.send({ requests: receiver.requests }, () => {}), reject);
    });
    void child.exited.then(({ code }) => reject(new Error(`it ended with ${code}:\n${outputOf(child)}`)));
  });
  return await within(report, { what: `${script} ${args('').join(' ')}`, timeoutMillis: 230_000 });
}
