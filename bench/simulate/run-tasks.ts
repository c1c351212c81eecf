import { Worker } from 'node:worker_threads';

export interface TaskOptions<T, R> {
  /** Answers each task that it is sent with its result. */
  readonly worker: URL;
  /** How many threads. */
  readonly jobs: number;
  /** How long a task takes, in any unit: the longest go first, so that no thread is left alone with one at the end. */
  weight(task: T): number;
  done?(result: R): void;
}

/** Runs all tasks on so many threads; answers in the order of the tasks. */
export async function runTasks<T, R>(
  tasks: readonly T[],
  { worker: script, jobs, weight, done }: TaskOptions<T, R>,
): Promise<R[]> {
  const results = new Map<T, R>();
  const waiting = [...tasks].sort((a, b) => weight(a) - weight(b));
  const work = async (): Promise<void> => {
    const worker = new Worker(script);
    try {
      for (let task = waiting.pop(); task !== undefined; task = waiting.pop()) {
        const result = await ask<T, R>(worker, task);
        results.set(task, result);
        done?.(result);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
  return tasks.map((task) => results.get(task) as R);
}

function ask<T, R>(worker: Worker, task: T): Promise<R> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners('message').once('message', resolve);
    worker.removeAllListeners('error').once('error', reject);
    worker.postMessage(task);
  });
}
