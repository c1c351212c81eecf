/** A service that listens to SIGTERM, and takes its time. */
'use strict';

const { NodeSDK } = require('@opentelemetry/sdk-node');

new NodeSDK().start();
process.on('SIGTERM', () => console.log('SIGTERM'));
setInterval(() => {}, 1_000);
console.log('listening');
