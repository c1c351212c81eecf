/** The instance of a function: `node function.mjs <module of the handler>`; an IPC message is an invocation. */
const { handler } = await import(process.argv[2]);

process.on('message', async ({ id }) => {
  const began = performance.now();
  await handler({ path: `/${id}` });
  process.send({ id, millis: performance.now() - began });
});
process.once('disconnect', () => process.exit());
process.send({ id: 'ready' });
