import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Child, ChildExit } from './child-process.ts';
import { startNode } from './child-process.ts';
import type { ControlReply, ControlRequest } from './receiver/control.ts';
import { JournalReader } from './receiver/journal.ts';
import type { ReceiverStats } from './receiver/ledger.ts';
import { Ledger } from './receiver/ledger.ts';
import type { ReceiverMode } from './receiver/mode.ts';
import type { Signal } from './receiver/otlp-batch.ts';
import { waitFor, within } from './wait-for.ts';

const MAIN = fileURLToPath(new URL('./receiver/main.ts', import.meta.url));
/** The journal is the first file handed down after stdio and the IPC channel. */
const JOURNAL_FD = 4;

/** How a receiver is started. */
export interface ReceiverOptions {
  /** `http` serves JSON and protobuf. */
  readonly protocol: 'http' | 'grpc';
  /** @defaultValue 0: any free one, the same over all restarts */
  readonly port?: number;
  /** @defaultValue 'healthy' */
  readonly mode?: ReceiverMode;
}

/** A real OTLP receiver in a process of its own. Dies with this one, whatever happens. */
export interface ReceiverProcess extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:<port>`; what the gRPC exporters take as `url`. */
  readonly url: string;
  /** What `GET /stats`, `POST /mode` and `POST /release` go to; another one after a restart. */
  readonly controlUrl: string;
  /** The present or last process. */
  readonly pid: number;
  readonly running: boolean;
  /** What an exporter takes as `url`: over HTTP with the path of the signal. */
  endpoint(signal: Signal): string;
  /** Changes how it behaves; it does when this resolves. */
  mode(mode: ReceiverMode): Promise<void>;
  /** Stores and answers held requests, the oldest first, all of them by default; answers how many. */
  release(count?: number): Promise<number>;
  /** Everything it has seen in all its lives: also to be asked while it is dead or stopped. */
  stats(): Promise<ReceiverStats>;
  /** Ends it, by SIGKILL by default; resolves when it is dead. */
  kill(signal?: NodeJS.Signals): Promise<ChildExit>;
  /** Freezes it (SIGSTOP): connections are accepted by the system, and nobody reads them. */
  stop(): Promise<void>;
  /** Thaws it (SIGCONT). */
  cont(): void;
  /** Kills it if need be, and starts it again on its port. @param mode - the mode it begins with, its last by default */
  restart(mode?: ReceiverMode): Promise<void>;
  /** Ends it for good. */
  close(): Promise<void>;
}

/** Starts a receiver; resolves when it listens. */
export async function startReceiver(options: ReceiverOptions): Promise<ReceiverProcess> {
  const { protocol } = options;
  const journal = openNamelessFile();
  const ledger = new Ledger();
  const reader = new JournalReader(journal, ledger);
  let mode = options.mode ?? 'healthy';
  let closed = false;
  let life = await startLife(protocol, options.port ?? 0, mode, journal);
  const { port } = life;
  const url = `http://127.0.0.1:${port}`;

  const stats = async (): Promise<ReceiverStats> => {
    if (!closed) reader.catchUp();
    return ledger.stats();
  };
  const close = async (): Promise<void> => {
    if (closed) return;
    await life.child.kill();
    reader.catchUp();
    closed = true;
    closeSync(journal);
  };

  return {
    port,
    url,
    get controlUrl() {
      return `http://127.0.0.1:${life.controlPort}`;
    },
    get pid() {
      return life.child.pid;
    },
    get running() {
      return life.child.running;
    },
    endpoint: (signal) => (protocol === 'http' ? `${url}/v1/${signal}` : url),
    async mode(next) {
      await ask(life.child, 'mode', next);
      mode = next;
    },
    async release(count) {
      const { released } = (await ask(life.child, 'release', count)) as { released: number };
      return released;
    },
    stats,
    kill: (signal) => life.child.kill(signal),
    stop: () => life.child.stop(),
    cont: () => life.child.cont(),
    async restart(next = mode) {
      if (closed) throw new Error('the receiver is closed');
      await life.child.kill();
      mode = next;
      // Somebody else may hold the port for a moment: an outgoing connection that the system gave this number.
      life = await waitFor(() => startLife(protocol, port, next, journal), {
        what: `the receiver to listen on its port ${port} again`,
        intervalMillis: 50,
      });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Life {
  readonly child: Child;
  readonly port: number;
  readonly controlPort: number;
}

async function startLife(protocol: string, port: number, mode: ReceiverMode, journal: number): Promise<Life> {
  const args = [
    '--protocol',
    protocol,
    '--port',
    String(port),
    '--mode',
    mode,
    '--journal-fd',
    String(JOURNAL_FD),
  ];
  const child = await startNode(MAIN, args, { ipc: true, inherit: [journal] });
  // Answers are matched by id, so that any number of questions can be open.
  child.process.setMaxListeners(0);
  try {
    const ready = JSON.parse(await child.waitForLine('{"port"')) as { port: number; controlPort: number };
    return { child, ...ready };
  } catch (error) {
    await child.kill();
    throw error;
  }
}

let lastId = 0;

async function ask(
  child: Child,
  command: ControlRequest['command'],
  argument?: string | number,
): Promise<unknown> {
  lastId += 1;
  const id = lastId;
  const request: ControlRequest = { id, command, ...(argument !== undefined && { argument }) };
  const { process } = child;
  let listener: ((reply: ControlReply) => void) | undefined;
  const reply = new Promise<ControlReply>((resolve, reject) => {
    listener = (message) => {
      if (message.id === id) resolve(message);
    };
    process.on('message', listener);
    // A process that has just died shows as EPIPE, or not at all: its end, with its stderr, says more.
    if (process.connected) process.send(request, () => {});
    void child.exited.then(() => {
      reject(
        new Error(
          `the receiver is dead and cannot answer ${command}; its stderr: ${child.errorLines.join('\n')}`,
        ),
      );
    });
  });
  try {
    const answer = await within(reply, { what: `the receiver (running, not stopped?) to answer ${command}` });
    if ('error' in answer) throw new Error(answer.error);
    return answer.result;
  } finally {
    if (listener !== undefined) process.off('message', listener);
  }
}

/** A file that has no name any more: gone with the last process that holds it, however that ends. */
function openNamelessFile(): number {
  const directory = mkdtempSync(join(tmpdir(), 'otlp-receiver-'));
  try {
    return openSync(join(directory, 'journal'), 'a+', 0o600);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
