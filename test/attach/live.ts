import type { Child } from '../support/child-process.ts';
import { startChild } from '../support/child-process.ts';
import { waitFor, within } from '../support/wait-for.ts';

/** What the observer tells of an exporter. */
export interface SeenExporter {
  readonly name: string;
  readonly state: string;
  readonly delivery: {
    readonly offered: { readonly items: number };
    readonly delivered: { readonly items: number; readonly batches: number };
    readonly lost: { readonly items: number };
    readonly kept: { readonly items: number };
    readonly inFlight: { readonly items: number };
  };
}

/** What the observer sees in the process. */
export interface Look {
  /** Providers that are registered with the API. */
  readonly providers: number;
  readonly exporters: readonly SeenExporter[];
}

interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: string;
  readonly event?: string;
  readonly at?: number;
}

/** How an application is started. */
export interface Launch {
  readonly node: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** An application with the observer in it. */
export interface LiveApp extends AsyncDisposable {
  readonly child: Child;
  look(): Promise<Look>;
  /** Makes spans and log records with these numbers. */
  emit(first: number, last: number): Promise<void>;
  /** Waits until the look is as wanted. */
  until(what: string, holds: (look: Look) => boolean, timeoutMillis?: number): Promise<Look>;
  /** Sends SIGTERM. @returns milliseconds to the end of all `provider.shutdown()`, and to the end of the process */
  terminate(longestMillis?: number): Promise<{ shutdownMillis: number | undefined; exitMillis: number }>;
}

/** Starts the application; resolves when it listens. */
export async function startApp({ node, args, cwd, env }: Launch): Promise<LiveApp> {
  const child = await startChild(node, args, { cwd, env, ipc: true });
  let lastId = 0;
  let shutDownAt: number | undefined;
  child.process.setMaxListeners(0);
  child.process.on('message', ({ event, at }: Message) => {
    if (event === 'shut down') shutDownAt ??= at;
  });

  const ask = async (question: string, argument?: unknown): Promise<unknown> => {
    const id = ++lastId;
    const reply = new Promise<Message>((resolve) => {
      const listener = (message: Message): void => {
        if (message.id !== id) return;
        child.process.off('message', listener);
        resolve(message);
      };
      child.process.on('message', listener);
    });
    child.process.send({ id, question, argument }, () => {});
    const ended = child.exited.then(
      ({ code, signal }): Message => ({ error: `it ended (${signal ?? code})` }),
    );
    const { result, error } = await within(Promise.race([reply, ended]), {
      what: `an answer to ${question}`,
    });
    if (error !== undefined) throw new Error(`${question}: ${error}\n${child.errorLines.join('\n')}`);
    return result;
  };
  const look = async (): Promise<Look> => (await ask('look')) as Look;

  try {
    await child.waitForLine('listening', { timeoutMillis: 30_000 });
  } catch (error) {
    await child.kill();
    throw error;
  }
  return {
    child,
    look,
    emit: async (first, last) => void (await ask('emit', { first, last })),
    async until(what, holds, timeoutMillis = 20_000) {
      let last: Look | undefined;
      try {
        await waitFor(
          async () => {
            last = await look();
            return holds(last);
          },
          { what, timeoutMillis, intervalMillis: 100 },
        );
      } catch (error) {
        throw new Error(
          `${(error as Error).message}\n${JSON.stringify(last)}\n${child.errorLines.slice(-20).join('\n')}`,
        );
      }
      return last as Look;
    },
    async terminate(longestMillis = 60_000) {
      const began = Date.now();
      child.process.kill('SIGTERM');
      await within(child.exited, { what: 'the application to end', timeoutMillis: longestMillis });
      const exitMillis = Date.now() - began;
      return { shutdownMillis: shutDownAt === undefined ? undefined : shutDownAt - began, exitMillis };
    },
    async [Symbol.asyncDispose]() {
      await child.kill();
    },
  };
}
