import { Worker } from 'node:worker_threads';
import type { Task, TaskResult } from './scenarios.ts';

/** Runs all tasks on so many threads; answers in the order of the tasks. */
export async function runTasks(
  tasks: readonly Task[],
  jobs: number,
  done: (finished: TaskResult) => void,
): Promise<TaskResult[]> {
  const results = new Map<Task, TaskResult>();
  // The longest first, so that no thread is left alone with one at the end.
  const waiting = [...tasks].sort((a, b) => a.outageSeconds - b.outageSeconds);
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    try {
      for (let task = waiting.pop(); task !== undefined; task = waiting.pop()) {
        const finished = await ask(worker, task);
        results.set(task, finished);
        done(finished);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
  return tasks.map((task) => results.get(task) as TaskResult);
}

function ask(worker: Worker, task: Task): Promise<TaskResult> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners('message').once('message', resolve);
    worker.removeAllListeners('error').once('error', reject);
    worker.postMessage(task);
  });
}
