/**
 * The app's side of its talk with the matrix: questions about the receiver go out by IPC, answers come back.
 * Plain JavaScript, as all that runs in the apps: Node 18 strips no types.
 */
let lastId = 0;
const waiting = new Map();

process.on('message', ({ id, result, error }) => {
  const { resolve, reject } = waiting.get(id);
  waiting.delete(id);
  if (error === undefined) resolve(result);
  else reject(new Error(error));
});
process.once('disconnect', () => process.exit(1));

/** Asks the matrix to do something with the receiver: `kill`, `restart`, `stats`. */
export function ask(question) {
  lastId += 1;
  const id = lastId;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    process.send({ id, question });
  });
}

/** Hands over what was found; then nothing of the talk keeps this process alive. */
export async function report(found) {
  await new Promise((resolve, reject) => {
    process.send({ report: found }, (error) => (error ? reject(error) : resolve()));
  });
  process.removeAllListeners('disconnect');
  process.disconnect();
}

/** Polls until the predicate holds. */
export async function until(what, predicate, timeoutMillis = 20_000) {
  const deadline = Date.now() + timeoutMillis;
  for (;;) {
    const answer = await predicate();
    if (answer === true) return;
    if (Date.now() > deadline) {
      throw new Error(`waited ${timeoutMillis} ms in vain until ${what}; last: ${JSON.stringify(answer)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
