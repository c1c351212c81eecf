/** A service that sets the SDK up itself, in CommonJS. */
'use strict';

const { NodeSDK } = require('@opentelemetry/sdk-node');

const sdk = new NodeSDK();
sdk.start();
process.on('SIGTERM', () => sdk.shutdown().catch(() => {}));
require('./app.cjs');
