import { join } from 'node:path';
import { here } from './places.ts';

/** A line of the OpenTelemetry SDK. */
export interface SdkLine {
  readonly name: 'sdk-1.30' | 'sdk-2.12' | 'sdk-3.1';
  /** The folder of its app. */
  readonly app: string;
  /** What the version of the SDK that ran has to begin with. */
  readonly version: string;
  /** Major versions of Node that it has to run on. */
  readonly nodes: readonly NodeMajor[];
  /** The one that everything but the scenario runs on. */
  readonly usualNode: NodeMajor;
}

export type NodeMajor = keyof typeof nodeVersions;

/** One of each major version, from the npm package `node`. */
export const nodeVersions = {
  18: '18.20.8',
  20: '20.20.2',
  22: '22.23.3',
  24: '24.21.0',
  26: '26.10.0',
} as const;

export const nodeMajors = Object.keys(nodeVersions).map(Number) as NodeMajor[];

const versionsAndNodes = [
  { name: 'sdk-1.30', version: '1.30.', nodes: [18, 20], usualNode: 20 },
  { name: 'sdk-2.12', version: '2.12.', nodes: [20, 24], usualNode: 24 },
  { name: 'sdk-3.1', version: '3.1.', nodes: [22, 24, 26], usualNode: 24 },
] as const;

export const lines: readonly SdkLine[] = versionsAndNodes.map((line) => ({
  ...line,
  app: join(here, 'apps', line.name),
}));

/** `SDK 2.12`, for people. */
export function title(line: SdkLine): string {
  return line.name.replace('sdk-', 'SDK ');
}
