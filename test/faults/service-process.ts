import { fileURLToPath } from 'node:url';
import { startNode } from '../support/child-process.ts';
import { waitFor, within } from '../support/wait-for.ts';
import type { ServiceConfig, ServiceLook, ServiceReply, ServiceReport, ServiceRequest } from './protocol.ts';

const SERVICE = fileURLToPath(new URL('./service.ts', import.meta.url));
/** The longest end: an export of the OTLP exporter that nobody hands over. */
const END_TIMEOUT_MILLIS = 20_000;

/** A service in a process of its own. Dies with this one. */
export interface ServiceProcess extends AsyncDisposable {
  /** Starts or stops making spans. */
  traffic(on: boolean): Promise<void>;
  /** Whether names resolve from now on, where the lookup is stubbed. */
  resolves(on: boolean): Promise<void>;
  /** Exports what the processor has; resolves when that is answered. */
  flush(): Promise<void>;
  look(): Promise<ServiceLook>;
  /** Waits until what it says of itself is so. */
  until(what: string, holds: (look: ServiceLook) => boolean, timeoutMillis?: number): Promise<ServiceLook>;
  /** Ends it as the README says, by a message or a signal. */
  finish(by: 'message' | 'SIGTERM'): Promise<Finished>;
}

/** How a service ended. */
export interface Finished {
  readonly report: ServiceReport;
  /** From the message or the signal to the end of the process. */
  readonly exitMillis: number;
}

/** Starts a service; resolves when it is ready, without traffic. */
export async function startService(config: ServiceConfig): Promise<ServiceProcess> {
  const child = await startNode(SERVICE, [JSON.stringify(config)], { ipc: true });
  const stop = async (): Promise<void> => {
    await child.kill();
  };
  try {
    await child.waitForLine('ready', { timeoutMillis: 20_000 });
  } catch (error) {
    await stop();
    throw error;
  }
  let lastId = 0;
  const open = new Map<number, (look: ServiceLook) => void>();
  child.process.on('message', ({ id, look }: ServiceReply) => {
    open.get(id)?.(look);
    open.delete(id);
  });
  const tell = (request: ServiceRequest): void => {
    if (child.process.connected) child.process.send(request, () => {});
  };
  const ask = (command: ServiceRequest['command'], on?: boolean): Promise<ServiceLook> => {
    lastId += 1;
    const id = lastId;
    const reply = new Promise<ServiceLook>((resolve, reject) => {
      open.set(id, resolve);
      void child.exited.then(() => reject(new Error(`the service is dead: ${child.errorLines.join('\n')}`)));
    });
    tell({ id, command, ...(on !== undefined && { on }) });
    return within(reply, { what: `the service to answer ${command}`, timeoutMillis: 15_000 });
  };
  const look = (): Promise<ServiceLook> => ask('look');

  return {
    async traffic(on) {
      await ask('traffic', on);
    },
    async resolves(on) {
      await ask('resolves', on);
    },
    async flush() {
      await ask('flush');
    },
    look,
    until(what, holds, timeoutMillis = 60_000) {
      const looked = async (): Promise<ServiceLook | undefined> => {
        const now = await look();
        if (holds(now)) return now;
        throw new Error(describe(now));
      };
      return waitFor(looked, { what, timeoutMillis, intervalMillis: 50 });
    },
    async finish(by) {
      const startedAt = performance.now();
      if (by === 'message') tell({ id: 0, command: 'finish' });
      else child.process.kill('SIGTERM');
      const line = await child.waitForLine('"sendings"', { timeoutMillis: END_TIMEOUT_MILLIS });
      const { code } = await within(child.exited, { what: 'the service to end' });
      const exitMillis = performance.now() - startedAt;
      if (code !== 0) throw new Error(`the service ended with ${code}: ${child.errorLines.join('\n')}`);
      return { report: JSON.parse(line) as ServiceReport, exitMillis };
    },
    [Symbol.asyncDispose]: stop,
  };
}

function describe({ made, snapshot: { state, delivery } }: ServiceLook): string {
  return `${state}, made ${made}, ${JSON.stringify(delivery)}`;
}
