import { describe, expect, it } from 'vitest';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { dashboard, dashboardQueries, filledIn } from './pack.ts';
import { needs } from './programs.ts';
import { startPrometheus } from './prometheus-process.ts';
import { startService } from './start-service.ts';

describe('the dashboard', () => {
  it('gets an answer with series in it to every query, from a Prometheus that scrapes a running service', async (context) => {
    needs(context, 'prometheus');
    await using receiver = await startReceiver({ protocol: 'http' });
    await using refusing = await startReceiver({ protocol: 'http', mode: 'status:404' });
    await using service = await startService(receiver.endpoint('traces'), refusing.endpoint('traces'));
    await using prometheus = await startPrometheus({ job: 'shop', target: service.target });
    for (const family of ['delivered', 'lost']) {
      const query = `increase(otel_circuit_breaker_${family}_items_total[5s]) > 0`;
      await waitFor(async () => (await prometheus.query(query)).length > 0, {
        what: `${family} spans`,
        timeoutMillis: 20_000,
        intervalMillis: 100,
      });
    }

    const empty: string[] = [];
    for (const { panel, expr } of dashboardQueries()) {
      const series = await prometheus.query(filledIn(expr));
      if (series.length === 0) empty.push(`${panel}: ${expr}`);
    }
    expect(empty).toEqual([]);
    const leftOver = dashboardQueries().filter(({ expr }) => filledIn(expr).includes('$'));
    expect(leftOver).toEqual([]);
    await expect(prometheus.query('sum(')).rejects.toThrow('parse error');

    const variables = dashboard().templating.list.filter(({ type }) => type === 'query');
    const values = variables.map(({ definition = '' }) => {
      const [, match = '', label = ''] = definition.match(/^label_values\((.*), (\w+)\)$/) ?? [];
      return prometheus.labelValues(label, filledIn(match));
    });
    expect(await Promise.all(values)).toEqual([['shop'], ['audit', 'collector']]);
  });

  it('shows 0 for CLOSED and 2 for OPEN', async (context) => {
    needs(context, 'prometheus');
    await using receiver = await startReceiver({ protocol: 'http', mode: 'status:503' });
    await using service = await startService(receiver.endpoint('traces'));
    await using prometheus = await startPrometheus({ job: 'shop', target: service.target });
    const state = dashboardQueries().find(({ panel }) => panel === 'State')?.expr ?? '';
    const reads = (value: string) =>
      waitFor(
        async () => (await prometheus.query(filledIn(state))).every((each) => each.value[1] === value),
        {
          what: `the state to read ${value}`,
          timeoutMillis: 20_000,
          intervalMillis: 50,
        },
      );
    await reads('2');
    await receiver.mode('healthy');
    await reads('0');
  });
});
