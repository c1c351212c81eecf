/** The program of a client process: `client.ts <ClientConfig as JSON>`, driven over IPC. Ends with who started it. */
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { Lane } from './lane.ts';
import type { ClientConfig, ClientReport, Command } from './messages.ts';

const LOGS_KEPT = 300;
const TRAFFIC_MILLIS = 50;
const TRAFFIC_SPANS = 10;

// Before all else: the test may be gone while we start.
process.once('disconnect', () => process.exit(0));
const config = JSON.parse(process.argv[2] ?? '') as ClientConfig;
const logs: string[] = [];
const note = (message: string): void => {
  if (logs.length < LOGS_KEPT) logs.push(message);
};
diag.setLogger({ error: note, warn: note, info: note, debug() {}, verbose() {} }, DiagLogLevel.INFO);

const lanes = await Promise.all(config.lanes.map((lane) => Lane.make(config, lane)));
let traffic: NodeJS.Timeout | undefined;

async function obey(command: Command): Promise<ClientReport> {
  switch (command.command) {
    case 'make':
      for (const lane of lanes) lane.makeSpans(command.count, command.padding);
      break;
    case 'traffic':
      traffic ??= setInterval(() => {
        for (const lane of lanes) lane.makeSpans(TRAFFIC_SPANS);
      }, TRAFFIC_MILLIS);
      break;
    case 'rest':
      clearInterval(traffic);
      traffic = undefined;
      break;
    case 'flush':
      await Promise.all(lanes.map((lane) => lane.flush()));
      break;
    case 'shutdown':
      await Promise.all(lanes.map((lane) => lane.shutdown()));
      break;
    case 'report':
      break;
  }
  return { lanes: lanes.map((lane) => lane.report()), logs };
}

process.on('message', ({ id, command }: { id: number; command: Command }) => {
  obey(command).then(
    (report) => process.send?.({ id, report }),
    (error: Error) => process.send?.({ id, problem: error.stack ?? String(error) }),
  );
});
console.log('ready');
