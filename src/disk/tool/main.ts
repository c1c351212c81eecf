#!/usr/bin/env node
import { once } from 'node:events';
import { systemFiles } from '../files.ts';
import { systemProcesses } from '../processes.ts';
import { runSpoolTool } from './spool-tool.ts';

// `… | head` reads no further.
process.stdout.on('error', () => process.exit(0));

void runSpoolTool(process.argv.slice(2), {
  files: systemFiles,
  processes: systemProcesses,
  async print(line) {
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
  },
  warn(line) {
    process.stderr.write(`${line}\n`);
  },
}).then((exitCode) => {
  process.exitCode = exitCode;
});
