import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Receiver } from './receiver.ts';

/** A command by IPC; the answer is a {@link ControlReply} with the same `id`. */
export interface ControlRequest {
  readonly id: number;
  readonly command: 'stats' | 'mode' | 'release';
  /** The mode; how many to release, all by default. */
  readonly argument?: string | number;
}

/** The answer to a {@link ControlRequest}. */
export type ControlReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/** Obeys the parent's commands by IPC, where there is a channel. */
export function controlByIpc(receiver: Receiver): void {
  process.on('message', ({ id, command, argument }: ControlRequest) => {
    let reply: ControlReply;
    try {
      reply = { id, result: obey(receiver, command, argument) };
    } catch (error) {
      reply = { id, error: String(error) };
    }
    process.send?.(reply);
  });
}

/**
 * The same by HTTP, for harnesses that are not Node: `GET /stats`; `POST /mode` and `POST /release` with the argument as plain
 * text in the body. Answers JSON. Not yet listening.
 */
export function createControlServer(receiver: Receiver): Server {
  return createServer(async (request, response) => {
    const reply = (status: number, body: unknown): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    };
    try {
      const argument = (await text(request)).trim();
      const result = obey(
        receiver,
        commandOf(request.method, request.url),
        argument === '' ? undefined : argument,
      );
      reply(200, result);
    } catch (error) {
      reply(400, { error: String(error) });
    }
  });
}

function commandOf(method = '', url = ''): string {
  return ['GET /stats', 'POST /mode', 'POST /release'].includes(`${method} ${url}`)
    ? url.slice(1)
    : `${method} ${url}`;
}

function obey(receiver: Receiver, command: string, argument?: string | number): unknown {
  switch (command) {
    case 'stats':
      return receiver.stats();
    case 'mode':
      receiver.setMode(String(argument));
      return { mode: argument };
    case 'release':
      return { released: receiver.release(argument === undefined ? undefined : Number(argument)) };
    default:
      throw new TypeError(`no command of the receiver: ${command}`);
  }
}
