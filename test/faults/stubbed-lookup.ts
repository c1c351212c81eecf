import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** A resolver in place of `dns.lookup`: every name is 127.0.0.1, or none is known. */
export class StubbedLookup {
  resolves = true;

  readonly lookup: LookupFunction = (hostname, options, callback) => {
    process.nextTick(() => {
      if (!this.resolves) {
        const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`);
        callback(Object.assign(error, { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname }), '', 4);
      } else if (options.all) {
        callback(null, [{ address: '127.0.0.1', family: 4 }] satisfies LookupAddress[]);
      } else {
        callback(null, '127.0.0.1', 4);
      }
    });
  };
}
