/** What a scenario is, what it is given, and what it gives back. */

import type { Apps } from './apps.ts';
import type { Protocol, Sdk } from './client/messages.ts';
import type { ClientOptions } from './client-process.ts';
import { ClientProcess } from './client-process.ts';
import type { CollectorProcess } from './collector-process.ts';
import { startCollector } from './collector-process.ts';
import type { MakeConfig } from './configs.ts';

/** One line of the table: a lane of a client, or several lanes of one kind together. */
export interface Row {
  readonly scenario: string;
  readonly protocol: string;
  readonly sdk: string;
  /** `retention`, `file`, or `none`. */
  readonly lane: string;
  readonly made: number;
  readonly arrived: number;
  readonly duplicated: number;
  readonly lost: number;
  /** From the fault on. Absent where it did not open. */
  readonly openedMillis?: number | undefined;
  /** From the end of the fault on. */
  readonly closedMillis?: number | undefined;
  /** What health says while the fault lasts. */
  readonly sees: string;
  /** What is not as it should be. */
  readonly problems: readonly string[];
}

/** A scenario of the issue, or a part of one. */
export interface Scenario {
  /** As in the issue, `4b` for a second part. */
  readonly id: string;
  readonly title: string;
  /** A few sentences for the document: what is done, what came of it, why a row is as it is. */
  readonly about: string;
  /** @defaultValue false */
  readonly needsNginx?: boolean;
  run(surroundings: Surroundings): Promise<readonly Row[]>;
}

/** What a scenario is given. Whatever it starts here is ended when it ends, in whatever way. */
export class Surroundings implements AsyncDisposable {
  readonly binary: string;
  readonly apps: Apps;
  /** Temporary, this scenario's own. */
  readonly folder: string;
  readonly nginx: string | undefined;
  readonly evidence: string[] = [];
  readonly #started: AsyncDisposable[] = [];

  constructor(binary: string, apps: Apps, folder: string, nginx: string | undefined) {
    this.binary = binary;
    this.apps = apps;
    this.folder = folder;
    this.nginx = nginx;
  }

  keep<T extends AsyncDisposable>(thing: T): T {
    this.#started.push(thing);
    return thing;
  }

  /** Something seen that the document should show. */
  saw(line: string): void {
    this.evidence.push(line);
  }

  async collector(makeConfig: MakeConfig): Promise<CollectorProcess> {
    return this.keep(await startCollector(this.binary, makeConfig));
  }

  async client(options: Omit<ClientOptions, 'app'>): Promise<ClientProcess> {
    return this.keep(await ClientProcess.start({ app: this.apps[options.sdk], ...options }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#started.reverse().map((thing) => thing[Symbol.asyncDispose]()));
  }
}

/** The address of a Collector for a protocol. */
export function urlOf(
  collector: { readonly httpUrl: string; readonly grpcUrl: string },
  protocol: Protocol,
): string {
  return protocol === 'grpc' ? collector.grpcUrl : collector.httpUrl;
}

/** Clients of one SDK and several protocols. */
export const variants = (sdk: Sdk, ...protocols: Protocol[]): { sdk: Sdk; protocol: Protocol }[] =>
  protocols.map((protocol) => ({ sdk, protocol }));
