/**
 * Measures one row of the table of calls, in a process of its own: what V8 has learnt from other rows would cost it.
 *
 *     node --expose-gc measure-row.ts <row> <milliseconds>
 *
 * Prints a `CallCost`.
 */
import { measureCalls } from './measure-calls.ts';
import type { Row } from './subjects.ts';
import { subjectOf } from './subjects.ts';

const [row, milliseconds] = process.argv.slice(2);
const subject = await subjectOf(row as Row);
const costs = await measureCalls([subject], { rounds: 1, milliseconds: Number(milliseconds) });
process.stdout.write(`${JSON.stringify(costs.get(subject.name))}\n`, () => process.exit(0));
