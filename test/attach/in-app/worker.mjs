/** The SDK in the main thread and in a worker thread, each with attach: prints what each thread has registered. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { NodeSDK } from '@opentelemetry/sdk-node';

const sdk = new NodeSDK();
sdk.start();
const registered = () =>
  (globalThis[Symbol.for('otel-circuit-breaker.exporters')] ?? []).map(
    (each) => each.deref().snapshot().name,
  );
while (registered().length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.on('message', (names) => {
    console.log(JSON.stringify({ main: registered(), worker: names }));
    process.exit(0);
  });
} else {
  parentPort.postMessage(registered());
}
