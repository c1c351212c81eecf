import type { Cell } from '../compat/cell.ts';
import { must } from '../compat/command.ts';
import type { SdkLine } from '../compat/lines.ts';
import { lines, nodeVersions, title } from '../compat/lines.ts';
import { nodeBinary } from '../compat/nodes.ts';
import { npmApp, versionsOf } from './install.ts';

/** Where the packages of an SDK line and the library are installed, with `fields.mjs`. */
export interface LineApp {
  readonly cwd: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** The private fields that attach relies on, in each line of the SDK: an upgrade that moves one fails here. */
export function fieldCells(of: readonly SdkLine[] = lines, install = lockedApp): Cell[] {
  return of.map((line) => ({
    name: `private fields · ${title(line)} · Node ${line.usualNode}`,
    async run() {
      const { cwd, versions } = await install(line);
      const major = line.name.slice('sdk-'.length, 'sdk-'.length + 1);
      const args = ['--import', 'otel-circuit-breaker/attach', 'fields.mjs', major];
      await must(await nodeBinary(line.usualNode), args, { cwd });
      return {
        versions: { node: nodeVersions[line.usualNode], ...versions },
        detail: 'batch and simple processors of spans and logs, metric reader',
      };
    },
  }));
}

async function lockedApp({ name }: SdkLine): Promise<LineApp> {
  const versions = await versionsOf(name, { sdk: '@opentelemetry/core', api: '@opentelemetry/api' });
  return { cwd: await npmApp(name), versions };
}
