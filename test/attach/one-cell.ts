import type { Cell } from '../compat/cell.ts';

export const ATTACH = 'otel-circuit-breaker/attach';
export const REGISTER = '@opentelemetry/auto-instrumentations-node/register';
export const NODE = process.execPath;
/** Without the lines about circuits. */
export const QUIET = { OTEL_CIRCUIT_BREAKER_LOG: 'none' };

/** A cell on the Node that runs this. @param seen - answers what was seen */
export function cell(name: string, seen: () => Promise<string>): Cell {
  return {
    name: `attach · ${name}`,
    async run() {
      return { versions: { node: process.versions.node }, detail: await seen() };
    },
  };
}
