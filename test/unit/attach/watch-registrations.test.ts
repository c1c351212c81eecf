import { diag, metrics, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { API } from '../../../src/attach/registered-api.ts';
import { watchRegistrations } from '../../../src/attach/watch-registrations.ts';
import { forgetApi } from './arrange.ts';

const globals = globalThis as unknown as Record<symbol, unknown>;

beforeEach(forgetApi);

afterEach(() => {
  trace.disable();
  metrics.disable();
  logs.disable();
  diag.disable();
  forgetApi();
});

describe('watchRegistrations', () => {
  it('hears of each provider that the real API registers, the first and later ones', () => {
    const heard = vi.fn();
    watchRegistrations(heard);
    expect(heard).not.toHaveBeenCalled();
    trace.setGlobalTracerProvider(new BasicTracerProvider());
    expect(heard).toHaveBeenCalledTimes(1);
    metrics.setGlobalMeterProvider(new MeterProvider());
    expect(heard).toHaveBeenCalledTimes(2);
    logs.setGlobalLoggerProvider(new LoggerProvider());
    expect(heard).toHaveBeenCalledTimes(3);
  });

  it('hears of a provider that is replaced', () => {
    trace.setGlobalTracerProvider(new BasicTracerProvider());
    const heard = vi.fn();
    watchRegistrations(heard);
    trace.disable();
    trace.setGlobalTracerProvider(new BasicTracerProvider());
    expect(heard).toHaveBeenCalled();
  });

  it('changes nothing of what the API sees', () => {
    watchRegistrations(() => {});
    const provider = new BasicTracerProvider();
    expect(trace.setGlobalTracerProvider(provider)).toBe(true);
    expect(trace.getTracerProvider()).toMatchObject({ _delegate: provider });
    trace.disable();
    expect(trace.setGlobalTracerProvider(new BasicTracerProvider())).toBe(true);
  });

  it('ends with the global when that is deleted, and can be begun anew', () => {
    const heard = vi.fn();
    watchRegistrations(heard);
    delete globals[API];
    trace.setGlobalTracerProvider(new BasicTracerProvider());
    expect(heard).not.toHaveBeenCalled();
    watchRegistrations(heard);
    metrics.setGlobalMeterProvider(new MeterProvider());
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it('watches once, however often it is called', () => {
    const heard = vi.fn();
    watchRegistrations(heard);
    watchRegistrations(heard);
    trace.setGlobalTracerProvider(new BasicTracerProvider());
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it("leaves somebody else's accessor alone", () => {
    const get = () => undefined;
    Object.defineProperty(globalThis, API, { configurable: true, get });
    watchRegistrations(() => {});
    expect(Object.getOwnPropertyDescriptor(globalThis, API)?.get).toBe(get);
  });
});
