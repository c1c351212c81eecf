import { startChild } from '../support/child-process.ts';
import type { ReceiverProcess } from '../support/receiver-process.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { within } from '../support/wait-for.ts';
import type { Cell, CellReport } from './cell.ts';
import { cleanEnv, outputOf } from './command.ts';
import type { Installer } from './install-app.ts';
import { installApp, installers } from './install-app.ts';
import type { NodeMajor, SdkLine } from './lines.ts';
import { lines, nodeVersions, title } from './lines.ts';
import { nodeBinary } from './nodes.ts';

/** The transports of the OTLP exporters, by the last part of their packages' names. */
type Protocol = 'http' | 'proto' | 'grpc';

/** The outage, lived through by each line on each of its Nodes. */
export function scenarioCells(of: readonly SdkLine[] = lines): Cell[] {
  return of.flatMap((line) => [
    ...line.nodes.map((node) => scenarioCell(line, node, 'http', 'npm')),
    scenarioCell(line, line.usualNode, 'proto', 'npm'),
    scenarioCell(line, line.usualNode, 'grpc', 'npm'),
  ]);
}

/** The same, installed by the other package managers. */
export function installerCells(): Cell[] {
  return lines.flatMap((line) =>
    installers
      .filter((installer) => installer !== 'npm')
      .map((installer) => scenarioCell(line, line.usualNode, 'http', installer)),
  );
}

function scenarioCell(line: SdkLine, major: NodeMajor, protocol: Protocol, installer: Installer): Cell {
  return {
    name: `outage · ${title(line)} · Node ${major} · otlp-${protocol} · ${installer}`,
    async run() {
      const { folder, manager, nodeArgs } = await installApp(line, installer);
      const node = await nodeBinary(major);
      await using receiver = await startReceiver({ protocol: protocol === 'grpc' ? 'grpc' : 'http' });
      const args = [...nodeArgs, 'scenario.mjs', protocol, receiver.url];
      const { versions, detail } = await liveThrough(receiver, node, args, folder);
      expectVersion(versions, 'sdk', line.version);
      expectVersion(versions, 'node', nodeVersions[major]);
      return { versions: { ...versions, manager }, ...(detail !== undefined && { detail }) };
    },
  };
}

interface Message {
  readonly id?: number;
  readonly question?: string;
  readonly report?: CellReport;
}

/** Runs the scenario, and does with the receiver what it asks for. */
async function liveThrough(
  receiver: ReceiverProcess,
  node: string,
  args: readonly string[],
  cwd: string,
): Promise<CellReport> {
  await using app = await startChild(node, args, { cwd, env: cleanEnv(), ipc: true });
  let report: CellReport | undefined;
  app.process.on('message', async (message: Message) => {
    if (message.report !== undefined) report = message.report;
    if (message.question === undefined) return;
    const reply = await answer(receiver, message.question).then(
      (result) => ({ id: message.id, result }),
      (error: unknown) => ({ id: message.id, error: String(error) }),
    );
    if (app.process.connected) app.process.send(reply, () => {});
  });
  const { code, signal } = await within(app.exited, {
    what: `the app to end by itself; it ${report === undefined ? 'is not through' : 'is held up'}`,
    timeoutMillis: 90_000,
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${outputOf(app)}`);
  });
  if (code !== 0 || report === undefined) {
    throw new Error(`the app ended with ${code ?? signal}:\n${outputOf(app)}`);
  }
  return report;
}

async function answer(receiver: ReceiverProcess, question: string): Promise<unknown> {
  switch (question) {
    case 'kill':
      return receiver.kill();
    case 'restart':
      return receiver.restart();
    case 'stats':
      return receiver.stats();
    default:
      throw new TypeError(`no question of the scenario: ${question}`);
  }
}

/** The matrix is about what ran, not about what was asked for. */
export function expectVersion(versions: CellReport['versions'], what: string, prefix: string): void {
  if (versions[what]?.startsWith(prefix) !== true) {
    throw new Error(`${what} ${prefix}… was to run, but ${versions[what]} did`);
  }
}
