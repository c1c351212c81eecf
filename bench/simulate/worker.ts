/** Runs the tasks that it is sent, one at a time. */
import { parentPort } from 'node:worker_threads';
import { runFleet } from './fleet.ts';
import type { Task, TaskResult } from './scenarios.ts';
import { scenarioOf } from './scenarios.ts';

parentPort?.on('message', (task: Task) => {
  const { wrapping } = scenarioOf(task.scenario);
  const answer: TaskResult = { task, result: runFleet({ ...task, wrapping }) };
  parentPort?.postMessage(answer);
});
