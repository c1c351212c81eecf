/**
 * A controllable OTLP receiver on 127.0.0.1 that is a process of its own, so that it can be killed and frozen.
 *
 *     node main.ts --protocol http|grpc [--port 0] [--mode healthy] [--control-port 0] [--journal-fd n]
 *
 * Prints `{"port":…,"controlPort":…,"pid":…}` when it listens; see `control.ts` for what it obeys, `mode.ts` for how it
 * behaves. Dies with its parent. `--journal-fd`: an inherited file, opened for appending, that takes all it sees.
 */
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { parseArgs } from 'node:util';
import { dieWithParent } from '../die-with-parent.ts';
import { controlByIpc, createControlServer } from './control.ts';
import { createGrpcReceiver } from './grpc-server.ts';
import { createHttpReceiver } from './http-server.ts';
import { Receiver } from './receiver.ts';

dieWithParent();

const { values: options } = parseArgs({
  options: {
    protocol: { type: 'string', default: 'http' },
    port: { type: 'string', default: '0' },
    mode: { type: 'string', default: 'healthy' },
    'control-port': { type: 'string', default: '0' },
    'journal-fd': { type: 'string' },
  },
});
if (options.protocol !== 'http' && options.protocol !== 'grpc') {
  throw new TypeError(`--protocol is http or grpc, not ${options.protocol}`);
}

const isHttp = options.protocol === 'http';
const journal = options['journal-fd'];
const receiver = new Receiver(
  options.mode,
  isHttp ? 100 : 0,
  journal === undefined ? undefined : Number(journal),
);
const server: Server = isHttp ? createHttpReceiver(receiver) : createGrpcReceiver(receiver);
server.on('connection', (socket) => {
  receiver.connectionOpened();
  socket.once('close', () => receiver.connectionClosed());
  socket.on('error', () => {});
});
controlByIpc(receiver);

const port = await listen(server, Number(options.port));
const controlPort = await listen(createControlServer(receiver), Number(options['control-port']));
console.log(JSON.stringify({ port, controlPort, pid: process.pid }));

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
