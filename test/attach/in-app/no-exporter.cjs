/** Uses the API, and exports nothing. */
'use strict';

const { ROOT_CONTEXT, context } = require('@opentelemetry/api');

const manager = {
  active: () => ROOT_CONTEXT,
  with: (_context, run) => run(),
  bind: (_context, target) => target,
  enable: () => manager,
  disable: () => manager,
};
context.setGlobalContextManager(manager);
setTimeout(() => console.log('done'), 11_000);
