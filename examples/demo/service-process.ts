import { fileURLToPath } from 'node:url';
import { startNode } from '../../test/support/child-process.ts';
import { waitFor, within } from '../../test/support/wait-for.ts';
import type {
  ServiceCommand,
  ServiceCommands,
  ServiceMessage,
  ServiceReport,
  ServiceSettings,
} from './service-protocol.ts';

const SERVICE = fileURLToPath(new URL('./service.ts', import.meta.url));

/** A running service, as the demo sees it. */
export interface ServiceProcess {
  readonly label: string;
  readonly pid: number;
  /** What it said last. */
  readonly report: ServiceReport;
  /** Ends it by SIGTERM; answers how long that took, in milliseconds. */
  terminate(): Promise<number>;
  /** @throws Error when it does not answer, or has ended */
  ask<C extends ServiceCommand>(command: C, timeoutMillis?: number): Promise<ServiceCommands[C]>;
  /**
   * Waits until it is so; looks at the report, and at whatever else it likes.
   *
   * @param what - what is waited for, for the message of the error
   */
  until(what: string, predicate: (report: ServiceReport) => boolean): Promise<void>;
}

/** Who waits for an answer. */
interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts a service; it makes no spans until it is told to.
 *
 * @param label - what the screen calls it
 * @param onLog - receives its log lines
 */
export async function startService(
  label: string,
  settings: ServiceSettings,
  onLog: (line: string) => void,
): Promise<ServiceProcess> {
  const child = await startNode(SERVICE, [JSON.stringify(settings)], { ipc: true });
  const waiting = new Map<number, Waiting>();
  let ready = false;
  let lastId = 0;
  let report: ServiceReport = {
    state: null,
    made: 0,
    delivered: 0,
    kept: 0,
    lost: 0,
    inFlight: 0,
    attempts: 0,
  };

  child.process.on('message', (message: ServiceMessage) => {
    switch (message.type) {
      case 'ready':
        ready = true;
        break;
      case 'report':
        report = message.report;
        break;
      case 'log':
        onLog(message.line);
        break;
      case 'answer':
        waiting.get(message.id)?.resolve(message.answer);
        waiting.delete(message.id);
        break;
      case 'refused':
        waiting.get(message.id)?.reject(new Error(message.error));
        waiting.delete(message.id);
        break;
    }
  });
  const dead = (): Error =>
    new Error(`the service "${label}" has ended; its stderr: ${child.errorLines.join('\n')}`);
  void child.exited.then(() => {
    for (const { reject } of waiting.values()) reject(dead());
  });
  const alive = <T>(value: T): T => {
    if (!child.running) throw dead();
    return value;
  };
  await waitFor(() => ready || !child.running, {
    what: `the service "${label}" to start`,
    timeoutMillis: 30_000,
  });
  alive(ready);

  return {
    label,
    pid: child.pid,
    get report() {
      return report;
    },
    async ask<C extends ServiceCommand>(command: C, timeoutMillis = 10_000) {
      alive(command);
      lastId += 1;
      const id = lastId;
      const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
      child.process.send({ id, command }, () => {});
      const what = `the service "${label}" to answer ${command}`;
      return (await within(answer, { what, timeoutMillis })) as ServiceCommands[C];
    },
    async terminate() {
      const begin = performance.now();
      await within(child.kill('SIGTERM'), { what: `the service "${label}" to exit`, timeoutMillis: 20_000 });
      return performance.now() - begin;
    },
    async until(what, predicate) {
      await waitFor(() => !child.running || predicate(report), {
        what: `${what} (${label})`,
        timeoutMillis: 15_000,
      });
      alive(report);
    },
  };
}
