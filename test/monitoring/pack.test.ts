import { describe, expect, it } from 'vitest';
import {
  dashboard,
  dashboardQueries,
  libraryMetrics,
  metricNames,
  minutesAsSeconds,
  PACK,
  packFile,
  recordedNames,
} from './pack.ts';
import { needs, run } from './programs.ts';

describe('the monitoring pack', () => {
  it('has rules, unit tests of them and a configuration that promtool accepts', (context) => {
    needs(context, 'promtool');
    for (const args of [
      ['check', 'rules', 'rules.yml'],
      ['check', 'config', 'prometheus.yml'],
      ['test', 'rules', 'rules.test.yml'],
    ]) {
      expect({ args, ...run('promtool', args, PACK) }).toMatchObject({ status: 0 });
    }
  });

  it('unit-tests every alert, firing and not', () => {
    const alerts = [...packFile('rules.yml').matchAll(/- alert: (\S+)/g)].map((match) => match[1]);
    const tests = packFile('rules.test.yml');
    const firing = [...tests.matchAll(/alertname: (\S+)\n\s+exp_alerts:(?: &\w+)?\n/g)];
    const silent = [...tests.matchAll(/alertname: (\S+)\n\s+exp_alerts: \[\]/g)];
    expect(new Set(firing.map((match) => match[1]))).toEqual(new Set(alerts));
    expect(new Set(silent.map((match) => match[1]))).toEqual(new Set(alerts));
    expect(alerts).toHaveLength(7);
  });

  it('pages by one alert alone, and holds back the tickets about what has paged', () => {
    const rules = packFile('rules.yml');
    const severities = [...rules.matchAll(/- alert: (\S+)[\s\S]*?severity: (\w+)/g)].map(
      ([, alert, severity]) => `${alert} ${severity}`,
    );
    expect(severities.filter((each) => each.endsWith(' page'))).toEqual(['TelemetryLost page']);
    expect(severities).toHaveLength(7);
    expect(packFile('alertmanager.yml')).toMatch(
      /source_matchers: \['alertname="TelemetryLost"'\]\s+target_matchers: \['alertname=~"Telemetry\.\*"', 'severity="ticket"'\]/,
    );
  });

  it('says in each summary what, where and since when', () => {
    const summaries = [...packFile('rules.yml').matchAll(/summary: >-\n([\s\S]*?)\n {10}description/g)].map(
      (match) => match[1] as string,
    );
    expect(summaries).toHaveLength(7);
    for (const summary of summaries) {
      expect(summary).toContain('$value');
      expect(summary).toContain('$labels.job');
      expect(summary).toContain('$labels.name');
      expect(summary).toMatch(/since|in\s+the\s+last/);
    }
  });

  it('has a route that amtool accepts: pages to the people on call, everything else to the queue', (context) => {
    needs(context, 'amtool');
    expect(run('amtool', ['check-config', 'alertmanager.yml'], PACK)).toMatchObject({ status: 0 });
    const route = (severity: string) => {
      const args = ['config', 'routes', 'test', '--config.file=alertmanager.yml', `severity=${severity}`];
      return run('amtool', args, PACK).output.split('\n')[0];
    };
    const outputs = ['page', 'ticket', 'unknown'].map((severity) => route(severity));
    expect(outputs.map((output) => output?.match(/on-call|tickets/)?.[0])).toEqual([
      'on-call',
      'tickets',
      'tickets',
    ]);
  });

  it('names no metric that the library does not have', () => {
    const known = libraryMetrics();
    for (const name of recordedNames()) known.add(name);
    const used = [packFile('rules.yml').replaceAll(/^ *#.*$/gm, ''), packFile('rules.test.yml')].join('\n');
    const names = [...metricNames(used), ...dashboardQueries().flatMap(({ expr }) => metricNames(expr))];
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });

  it('shows every family of the library in the dashboard, and nothing but them', () => {
    const shown = new Set(dashboardQueries().flatMap(({ expr }) => metricNames(expr)));
    const family = (name: string) => name.replace(/_(bucket|sum|count)$/, '');
    const all = new Set([...libraryMetrics()].map(family));
    expect(new Set([...shown].map(family))).toEqual(all);
  });

  it('shows the state as a timeline, durations as a heatmap, causes as a table, losses by reason', () => {
    const types = Object.fromEntries(dashboard().panels.map(({ title, type }) => [title, type]));
    expect(types).toMatchObject({
      State: 'state-timeline',
      'Export duration': 'heatmap',
      Causes: 'table',
      'Lost items by reason': 'timeseries',
      'Delivery share': 'timeseries',
    });
  });
});

describe('minutesAsSeconds', () => {
  it('shortens durations, and leaves texts alone', () => {
    expect(
      minutesAsSeconds(
        'interval: 15s\nexpr: rate(x[1h]) > 0.8\nfor: 8m\nsummary: for 10 minutes 10m of it\n',
      ),
    ).toBe('interval: 250ms\nexpr: rate(x[60000ms]) > 0.8\nfor: 8000ms\nsummary: for 10 minutes 10m of it\n');
    expect(minutesAsSeconds('x[2m:15s] == y offset 10m\n')).toBe('x[2000ms:250ms] == y offset 10000ms\n');
  });
});
