import { deepStrictEqual } from 'node:assert';
import { startReceiver } from '../support/receiver-process.ts';
import type { Cell, CellReport } from './cell.ts';
import { must } from './command.ts';
import { installApp, installers } from './install-app.ts';
import { library } from './library.ts';
import type { NodeMajor, SdkLine } from './lines.ts';
import { lines, nodeMajors, nodeVersions, title } from './lines.ts';
import { nodeBinary } from './nodes.ts';
import { expectVersion } from './scenario-cells.ts';

/** What the contract promises, entry by entry; a new or missing one shows here. */
const PROMISED = [
  '',
  '/health',
  '/prometheus',
  '/http',
  '/metrics',
  '/logging',
  '/env',
  '/registry',
  '/attach',
  '/disk',
  '/testing',
].map((path) => `otel-circuit-breaker${path}`);

/** Every entry by `import` and `require`, and both in one process, on every Node and from every installer. */
export function moduleCells(): Cell[] {
  const npm = nodeMajors.map((major) => moduleCell(lineFor(major), major, 'npm'));
  const others = installers
    .filter((installer) => installer !== 'npm')
    .map((installer) => moduleCell(lines[1] as SdkLine, 24, installer));
  return [...npm, ...others];
}

function moduleCell(line: SdkLine, major: NodeMajor, installer: (typeof installers)[number]): Cell {
  return {
    name: `modules · ${title(line)} · Node ${major} · ${installer}`,
    async run() {
      const { entries } = await library();
      deepStrictEqual([...entries].sort(), [...PROMISED].sort(), 'the entries are those of the contract');
      const { folder, manager, nodeArgs } = await installApp(line, installer);
      const args = [...nodeArgs, 'entries.mjs', ...entries];
      const found = await foundBy(await nodeBinary(major), args, folder);
      expectVersion(found.versions, 'sdk', line.version);
      expectVersion(found.versions, 'node', nodeVersions[major]);
      return {
        versions: { ...found.versions, manager },
        detail: `${entries.length} entries, import and require`,
      };
    },
  };
}

/** What the library takes for granted about the packages of a line. */
export function constantCells(of: readonly SdkLine[] = lines): Cell[] {
  return of.map((line) => ({
    name: `constants · ${title(line)} · Node ${line.usualNode} · npm`,
    async run() {
      const { folder, manager } = await installApp(line, 'npm');
      await using receiver = await startReceiver({ protocol: 'grpc', mode: 'status:3' });
      const args = ['constants.mjs', receiver.url];
      const found = await foundBy(await nodeBinary(line.usualNode), args, folder);
      expectVersion(found.versions, 'sdk', line.version);
      return { ...found, versions: { ...found.versions, manager } };
    },
  }));
}

/** Runs a script whose last line is what it found, as JSON. */
async function foundBy(node: string, args: readonly string[], cwd: string): Promise<CellReport> {
  const output = await must(node, args, { cwd, timeoutMillis: 60_000 });
  return JSON.parse(output.split('\n').at(-1) ?? '') as CellReport;
}

/** A line that supports this Node. */
function lineFor(major: NodeMajor): SdkLine {
  const line = lines.find(({ nodes }) => nodes.includes(major));
  if (line === undefined) throw new Error(`no SDK line runs on Node ${major}`);
  return line;
}
