import { execFileSync } from 'node:child_process';
import path from 'node:path';

export interface Certificates {
  readonly certFile: string;
  readonly keyFile: string;
  /** The authority that signed `certFile`. */
  readonly caFile: string;
  /** An authority that signed nothing here: who trusts only it must not connect. */
  readonly otherCaFile: string;
}

/**
 * A certificate for localhost and 127.0.0.1, the authority that signed it, and another authority.
 *
 * @param folder - where the PEM files go; the harness's temporary folder, so that they go with it.
 */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string): string => path.join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const authority of ['ca', 'other-ca']) {
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      file(`${authority}.key`),
      '-out',
      file(`${authority}.pem`),
      '-days',
      '2',
      '-subj',
      `/CN=otel-circuit-breaker test ${authority}`,
    );
  }
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    file('server.key'),
    '-out',
    file('server.pem'),
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-CA',
    file('ca.pem'),
    '-CAkey',
    file('ca.key'),
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  );
  return {
    certFile: file('server.pem'),
    keyFile: file('server.key'),
    caFile: file('ca.pem'),
    otherCaFile: file('other-ca.pem'),
  };
}
