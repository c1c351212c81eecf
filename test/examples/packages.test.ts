import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { EXAMPLES, NEXTJS } from './support/install-examples.ts';

const FOLDER = fileURLToPath(new URL('../../examples', import.meta.url));
const read = (path: string): string => readFileSync(join(FOLDER, path), 'utf8');

/** The variables that `.env.example` explains, those commented out included. */
const explained = [...read('node-service/.env.example').matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name);

describe.each([...EXAMPLES, NEXTJS])('the package of %s', (name) => {
  test('names exact versions', () => {
    const { dependencies, devDependencies = {} } = JSON.parse(read(`${name}/package.json`)) as {
      dependencies: object;
      devDependencies?: object;
    };
    for (const version of Object.values({ ...dependencies, ...devDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test('has a lock file without hosts, and without the library itself', () => {
    const { packages } = JSON.parse(read(`${name}/package-lock.json`)) as {
      packages: Record<string, object>;
    };
    expect(Object.keys(packages)).not.toContain('node_modules/otel-circuit-breaker');
    for (const entry of Object.values(packages)) expect(entry).not.toHaveProperty('resolved');
  });
});

test('every variable that the service reads is explained in .env.example', () => {
  const known = [...read('node-service/settings.mjs').matchAll(/'([A-Z][A-Z_]{3,})'/g)].map(
    ([, name]) => name,
  );
  expect(known.length).toBeGreaterThan(5);
  expect(explained).toEqual(expect.arrayContaining(known));
});

describe('kubernetes.yaml', () => {
  const documents = parseAllDocuments(read('kubernetes.yaml'));
  const [deployment] = documents.map((document) => document.toJS());
  const pod = deployment.spec.template;
  const [container] = pod.spec.containers;

  test('is YAML', () => {
    for (const { errors, warnings } of documents) expect([...errors, ...warnings]).toEqual([]);
    expect(documents.map((document) => document.get('kind'))).toEqual(['Deployment', 'Service']);
  });

  test('keeps telemetry out of its probes', () => {
    for (const probe of [container.livenessProbe, container.readinessProbe]) {
      expect(probe.httpGet).toEqual({ path: '/healthz', port: 'http' });
    }
  });

  test('lets Prometheus find the metrics', () => {
    expect(pod.metadata.annotations).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/path': '/metrics',
      'prometheus.io/port': '3000',
    });
    expect(container.ports).toEqual([{ name: 'http', containerPort: 3000 }]);
  });

  test('sets only variables that .env.example explains, as strings', () => {
    for (const { name, value, valueFrom } of container.env) {
      expect(explained).toContain(name);
      expect(typeof (value ?? valueFrom?.secretKeyRef?.key)).toBe('string');
    }
  });
});
