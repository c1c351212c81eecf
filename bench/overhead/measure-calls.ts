import { setImmediate as pause } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { measure } from 'mitata';
import { median } from '../support/table.ts';

/** Something whose calls are measured; one that returns a promise is awaited. */
export interface Subject {
  readonly name: string;
  readonly call: () => unknown;
}

/** The medians of all rounds. */
export interface CallCost {
  readonly nanoseconds: number;
  readonly bytes: number;
}

/** How long and how often is measured. */
export interface Effort {
  readonly rounds: number;
  /** Of each subject and round. */
  readonly milliseconds: number;
}

function heapBytes(): number {
  const { used_heap_size, malloced_memory } = getHeapStatistics();
  return used_heap_size + malloced_memory;
}

/**
 * Measures all subjects in turn, again and again, so that whatever disturbs the machine disturbs all of them; answers with
 * the median of the rounds' medians, by name.
 */
export async function measureCalls(
  subjects: readonly Subject[],
  { rounds, milliseconds }: Effort,
): Promise<Map<string, CallCost>> {
  const nanoseconds = new Map<string, number[]>();
  const bytes = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, call } of subjects) {
      await warmUp(call, milliseconds);
      const stats = await measure(call, {
        min_cpu_time: milliseconds * 1e6,
        min_samples: 4,
        heap: heapBytes,
        inner_gc: false,
      });
      append(nanoseconds, name, stats.p50);
      append(bytes, name, stats.heap?.avg ?? Number.NaN);
    }
  }
  return new Map(
    subjects.map(({ name }) => [
      name,
      { nanoseconds: median(nanoseconds.get(name) ?? []), bytes: median(bytes.get(name) ?? []) },
    ]),
  );
}

/** V8 compiles in the background: what is measured is what it comes to. */
async function warmUp(call: () => unknown, milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    for (let index = 0; index < 1_000; index += 1) {
      const returned = call();
      if (returned instanceof Promise) await returned;
    }
    await pause();
  }
}

function append(lists: Map<string, number[]>, name: string, value: number): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [value]);
  else list.push(value);
}
