import type { ReceiverProcess } from '../../test/support/receiver-process.ts';
import { startReceiver } from '../../test/support/receiver-process.ts';
import type { PanelView } from './panel.ts';
import { panelLine, panelLines } from './panel.ts';
import type { Screen } from './screen.ts';
import type { ServiceProcess } from './service-process.ts';
import { startService } from './service-process.ts';

const REDRAW_EVERY_MILLIS = 100;
/** Where nothing can be drawn over, the numbers are a line now and then. */
const LINE_EVERY_MILLIS = 2_000;

/** A service without the library, and one with it. */
interface Pair {
  readonly without: ServiceProcess;
  readonly guarded: ServiceProcess;
}

/** The collector, two pairs of services, and the panel that shows the first of them. */
export class Stage {
  readonly screen: Screen;
  readonly collector: ReceiverProcess;
  readonly without: ServiceProcess;
  readonly guarded: ServiceProcess;
  /** Get SIGTERM during the outage. */
  readonly #twins: Pair;
  readonly #begin = performance.now();
  readonly #timer: NodeJS.Timeout;
  #downSince: number | undefined;

  private constructor(screen: Screen, collector: ReceiverProcess, { without, guarded }: Pair, twins: Pair) {
    this.screen = screen;
    this.collector = collector;
    this.without = without;
    this.guarded = guarded;
    this.#twins = twins;
    this.#timer = screen.redraws
      ? setInterval(() => screen.live(...panelLines(screen, this.#view())), REDRAW_EVERY_MILLIS)
      : setInterval(() => this.say(panelLine(this.#view())), LINE_EVERY_MILLIS);
  }

  /** @param verbose - whether all log lines of the service are shown, those about probes included */
  static async set(screen: Screen, verbose: boolean): Promise<Stage> {
    const collector = await startReceiver({ protocol: 'http' });
    const url = collector.endpoint('traces');
    let stage: Stage | undefined;
    const log = (line: string) => {
      if (verbose || !line.includes('probe through')) stage?.say(screen.style('dim', `log: ${line}`));
    };
    const start = (guarded: boolean, firstNumber: number, onLog: (line: string) => void = () => {}) => {
      const label = guarded ? 'with the library' : 'without the library';
      return startService(label, { url, guarded, firstNumber }, onLog);
    };
    const [without, guarded, twinWithout, twinGuarded] = await Promise.all([
      start(false, 1),
      start(true, 1_000_001, log),
      start(false, 2_000_001),
      start(true, 3_000_001),
    ]);
    stage = new Stage(
      screen,
      collector,
      { without, guarded },
      { without: twinWithout, guarded: twinGuarded },
    );
    return stage;
  }

  /** Seconds since the services have started. */
  get seconds(): number {
    return (performance.now() - this.#begin) / 1_000;
  }

  /** A line with the time. */
  say(text: string): void {
    this.screen.print(`${this.seconds.toFixed(1).padStart(5)} s  ${text}`);
  }

  /** A line of narration: begins an act. */
  narrate(text: string): void {
    this.say(this.screen.style('bold', text));
  }

  async killCollector(): Promise<void> {
    await this.collector.kill('SIGKILL');
    this.#downSince = this.seconds;
  }

  async restartCollector(): Promise<void> {
    await this.collector.restart();
    this.#downSince = undefined;
  }

  /** Lets the other pair make spans. */
  async resumeTwins(): Promise<void> {
    await Promise.all([this.#twins.without.ask('resume'), this.#twins.guarded.ask('resume')]);
  }

  /** Ends a service of the other pair by SIGTERM; answers how long that took, in milliseconds. */
  async terminateTwin(which: keyof Pair): Promise<number> {
    const service = this.#twins[which];
    const millis = await service.terminate();
    this.say(`A service ${service.label} has exited, ${(millis / 1_000).toFixed(1)} s after SIGTERM.`);
    return millis;
  }

  /** Leaves nothing behind. */
  async clear(): Promise<void> {
    clearInterval(this.#timer);
    this.screen.live();
    await this.collector.close();
  }

  #view(): PanelView {
    const { without, guarded } = this;
    const reports = { without: without.report, guarded: guarded.report };
    return { seconds: this.seconds, downSince: this.#downSince, ...reports };
  }
}
