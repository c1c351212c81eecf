/** The test's side of a client process: a service that exports numbered spans to a Collector. */
import path from 'node:path';
import type { Child } from '../support/child-process.ts';
import { startNode } from '../support/child-process.ts';
import { within } from '../support/wait-for.ts';
import type {
  ClientConfig,
  ClientReport,
  Command,
  LaneName,
  LaneReport,
  Protocol,
  Sdk,
} from './client/messages.ts';

const READY_TIMEOUT_MILLIS = 60_000;
const ANSWER_TIMEOUT_MILLIS = 60_000;
/** Each lane has so many numbers for its spans. */
const NUMBERS = 100_000;

export interface ClientOptions {
  /** The app folder, from `makeApps`. */
  readonly app: string;
  readonly sdk: Sdk;
  readonly protocol: Protocol;
  readonly url: string;
  readonly lanes: readonly LaneName[];
  readonly file?: string;
  /** Variables besides those of this process, as an operator sets them. */
  readonly env?: NodeJS.ProcessEnv;
}

let ranges = 0;

/** A running client. Killed with this process, whatever way that ends. */
export class ClientProcess implements AsyncDisposable {
  readonly sdk: Sdk;
  readonly protocol: Protocol;
  readonly #child: Child;
  readonly #waiting = new Map<number, (answer: { report?: ClientReport; problem?: string }) => void>();
  #commands = 0;

  private constructor(options: ClientOptions, child: Child) {
    this.sdk = options.sdk;
    this.protocol = options.protocol;
    this.#child = child;
    child.process.on('message', (answer: { id: number; report?: ClientReport; problem?: string }) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static async start(options: ClientOptions): Promise<ClientProcess> {
    const { app, sdk, protocol, url, lanes, file, env } = options;
    const config: ClientConfig = {
      sdk,
      protocol,
      url,
      lanes: lanes.map((lane) => {
        ranges += 1;
        return { lane, first: ranges * NUMBERS, ...(file !== undefined && { file }) };
      }),
    };
    const child = await startNode(path.join(app, 'client.ts'), [JSON.stringify(config)], {
      cwd: app,
      env: { ...cleanEnv, ...env },
      ipc: true,
    });
    try {
      await child.waitForLine('ready', { timeoutMillis: READY_TIMEOUT_MILLIS });
    } catch (error) {
      await child.kill();
      throw error;
    }
    return new ClientProcess(options, child);
  }

  /** @returns the state after it. */
  async tell(command: Command): Promise<ClientReport> {
    this.#commands += 1;
    const id = this.#commands;
    const answered = new Promise<{ report?: ClientReport; problem?: string }>((resolve) => {
      this.#waiting.set(id, resolve);
    });
    this.#child.process.send({ id, command });
    const { report, problem } = await within(answered, {
      what: `a client's answer to ${command.command}; its stderr: ${this.#child.errorLines.join('\n')}`,
      timeoutMillis: ANSWER_TIMEOUT_MILLIS,
    });
    if (report === undefined) throw new Error(`a client failed at ${command.command}: ${problem}`);
    return report;
  }

  async lanes(): Promise<readonly LaneReport[]> {
    return (await this.tell({ command: 'report' })).lanes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.kill();
  }
}

/** Without what `npm run` and the user put there: a client is configured by its test alone. */
const cleanEnv: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_|OTEL|NODE_OPTIONS$|GRPC_|.*_proxy$|NODE_EXTRA_CA)/i.test(name),
  ),
);
