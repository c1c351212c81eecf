import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A port of 127.0.0.1 that refuses every connection for as long as it is held. */
export interface DeadPort extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Gives the port back to the system. */
  release(): Promise<void>;
}

/**
 * Takes a port on which nobody listens, and on which nobody else can begin to.
 *
 * The port is the client's end of an open loopback connection: it is in use, so the system gives it to no one, and it has
 * no listener, so connecting to it is refused. (Listening, closing and hoping would leave the number free for anybody.)
 * Holding it keeps no process alive.
 */
export async function deadPort(): Promise<DeadPort> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [
    [Socket],
    unknown,
  ];
  server.close();
  client.unref();
  accepted.unref();
  accepted.on('error', () => {});
  const port = client.localPort;
  if (port === undefined) throw new Error('the held connection was closed before its port was known');

  const release = async (): Promise<void> => {
    if (client.destroyed) return;
    const closed = once(client, 'close');
    // A reset leaves no TIME_WAIT on the port.
    client.resetAndDestroy();
    accepted.destroy();
    await closed;
  };
  return { port, url: `http://127.0.0.1:${port}`, release, [Symbol.asyncDispose]: release };
}
