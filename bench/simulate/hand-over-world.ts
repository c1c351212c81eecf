import type { ExporterLike, ExportResultLike } from 'otel-circuit-breaker';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { SimulatedCollector } from './collector.ts';
import { EventClock } from './event-clock.ts';
import { OtlpLikeExporter } from './otlp-like-exporter.ts';
import { seededRandom } from './seeded-random.ts';
import type { Traffic } from './simulated-service.ts';
import { SimulatedService } from './simulated-service.ts';

/** Healthy, then what the world is named after, then healthy again. */
const BEGINS_SECONDS = 60;
const ENDS_SECONDS = 180;
const WATCHED_SECONDS = 240;

/** Budgets are not what is asked about here. */
const ROOM = { maxItems: 1e9, maxBytes: 1e12 };

const TRAFFICS: readonly Traffic[] = [
  { spansPerSecond: 2_048, delayMillis: 5_000 },
  { spansPerSecond: 400, delayMillis: 5_000 },
  { spansPerSecond: 10, delayMillis: 5_000 },
];

/** How a collector answers. */
export const WORLDS = ['near', 'far', 'stalls', 'slow 2 s', 'slow 6 s', 'hangs', 'refuses'] as const;
export type World = (typeof WORLDS)[number];

/** Sums over all services, of the time in which the world is what it is named after. */
export interface Experience {
  /** Batches given to the exporter. */
  readonly exports: number;
  /** Of these, those whose caller was answered before the exporter had answered. */
  readonly early: number;
  /** Of these, those that were kept without being sent while the circuit was CLOSED. */
  readonly heldBack: number;
  /** Share of the spans made for which a processor had no room. */
  readonly dropped: number;
  /** The most calls of one exporter that were unanswered at a time. */
  readonly mostInFlight: number;
  /** Calls of the exporters, also by redeliveries. */
  readonly calls: number;
  /** Share of the services whose circuit opened. */
  readonly opened: number;
  /** From the beginning until it opened, the mean of those that did. */
  readonly secondsToOpen: number;
}

/** Runs services of three sizes, so many of each, through a world. */
export function experience(world: World, handOverMillis: number, seeds: number): Experience {
  const clock = new EventClock();
  const watches: Watch[] = [];
  const collectors: SimulatedCollector[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const random = seededRandom(seed);
    const collector = new SimulatedCollector(clock, Number.POSITIVE_INFINITY);
    collector.latencyMillis = () => logNormal(random, 20, 0.8);
    collectors.push(collector);
    for (const traffic of TRAFFICS) {
      const watch = new Watch(clock, collector, random, traffic, handOverMillis);
      watch.service.start(random);
      watches.push(watch);
    }
  }
  clock.runUntil(BEGINS_SECONDS * 1_000);
  for (const [index, collector] of collectors.entries()) turn(collector, world, clock, seededRandom(index));
  for (const watch of watches) watch.begin();
  clock.runUntil(ENDS_SECONDS * 1_000);
  const made = (ENDS_SECONDS - BEGINS_SECONDS) * seeds * sum(TRAFFICS, (traffic) => traffic.spansPerSecond);
  const dropped = sum(watches, (watch) => watch.service.dropped - watch.droppedBefore) / made;
  const [exports, early, heldBack, calls] = (['exports', 'early', 'heldBack', 'calls'] as const).map((what) =>
    sum(watches, (watch) => watch[what]),
  ) as [number, number, number, number];
  for (const collector of collectors) {
    collector.answer = 'served';
    collector.latencyMillis = () => 20;
  }
  clock.runUntil(WATCHED_SECONDS * 1_000);
  const openings = watches.flatMap(({ openedAt }) => (openedAt === undefined ? [] : [openedAt]));
  return {
    exports,
    early,
    heldBack,
    dropped,
    calls,
    mostInFlight: Math.max(...watches.map((watch) => watch.mostInFlight)),
    opened: openings.length / watches.length,
    secondsToOpen: sum(openings, (at) => at) / openings.length / 1_000 - BEGINS_SECONDS,
  };
}

function turn(collector: SimulatedCollector, world: World, clock: EventClock, random: () => number): void {
  switch (world) {
    case 'near':
      break;
    case 'far':
      collector.latencyMillis = () => logNormal(random, 150, 0.6);
      break;
    case 'stalls':
      // Half a second in every ten: what arrives meanwhile waits for its end.
      collector.latencyMillis = () => Math.max(0, 500 - (clock.now() % 10_000)) + logNormal(random, 20, 0.8);
      break;
    case 'slow 2 s':
      collector.latencyMillis = () => logNormal(random, 2_000, 0.2);
      break;
    case 'slow 6 s':
      collector.latencyMillis = () => logNormal(random, 6_000, 0.1);
      break;
    case 'hangs':
      collector.answer = 'hangs';
      break;
    case 'refuses':
      collector.answer = 'refused';
      break;
  }
}

/** A service whose exporter is watched from within and from without. */
class Watch {
  readonly service: SimulatedService;
  exports = 0;
  early = 0;
  heldBack = 0;
  calls = 0;
  mostInFlight = 0;
  openedAt: number | undefined;
  droppedBefore = 0;
  #inFlight = 0;
  /** Batches that are with the exporter for the first time. */
  readonly #sent = new Set<unknown>();

  constructor(
    clock: EventClock,
    collector: SimulatedCollector,
    random: () => number,
    traffic: Traffic,
    handOverMillis: number,
  ) {
    const otlp = new OtlpLikeExporter(clock, collector, 'http', random);
    const inner: ExporterLike<unknown> = {
      export: (batch, answer) => this.#send(otlp, batch, answer),
      shutdown: () => Promise.resolve(),
    };
    const exporter = new CircuitBreakerExporter<unknown>(inner, {
      clock,
      random,
      retention: { ...ROOM, handOverMillis },
    });
    exporter.breaker.onTransition(({ from }) => {
      if (from === 'CLOSED') this.openedAt ??= clock.now();
    });
    const outer: ExporterLike<unknown> = {
      export: (batch, answer) => this.#offer(exporter, batch, answer),
      shutdown: () => Promise.resolve(),
    };
    this.service = new SimulatedService(clock, outer, otlp, traffic);
  }

  begin(): void {
    this.exports = this.early = this.heldBack = this.calls = 0;
    this.mostInFlight = this.#inFlight;
    this.openedAt = undefined;
    this.droppedBefore = this.service.dropped;
  }

  #offer(
    exporter: CircuitBreakerExporter<unknown>,
    shared: unknown,
    answer: (result: ExportResultLike) => void,
  ): void {
    this.exports += 1;
    // Batches of one size are one object, and are told apart here.
    const batch = [...(shared as unknown[])];
    const { calls } = this;
    let returned = false;
    exporter.export(batch, (result) => {
      if (this.#sent.has(batch)) this.early += 1;
      else if (!returned && calls === this.calls && exporter.breaker.state === 'CLOSED') this.heldBack += 1;
      answer(result);
    });
    returned = true;
  }

  #send(otlp: OtlpLikeExporter, batch: unknown, answer: (result: ExportResultLike) => void): void {
    this.calls += 1;
    this.#inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    this.#sent.add(batch);
    otlp.export(batch, (result) => {
      this.#inFlight -= 1;
      this.#sent.delete(batch);
      answer(result);
    });
  }
}

function logNormal(random: () => number, median: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * normal);
}

function sum<T>(list: readonly T[], measured: (element: T) => number): number {
  return list.reduce((total, element) => total + measured(element), 0);
}
