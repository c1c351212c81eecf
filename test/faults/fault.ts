import type { ReceiverMode } from '../support/receiver/mode.ts';
import type { ReceiverProcess } from '../support/receiver-process.ts';
import type { ServiceConfig, Variant } from './protocol.ts';
import type { ServiceProcess } from './service-process.ts';

/** What a fault has to do with. */
export interface FaultContext {
  readonly variant: Variant;
  readonly receiver: ReceiverProcess;
  /** Makes spans, and the receiver has some, when the fault begins. */
  readonly service: ServiceProcess;
}

/** Something that happens to a service and its collector, and what may become of spans in it. */
export interface Fault {
  readonly name: string;
  /** What the table cannot say, as one line below it. */
  readonly note?: string;
  /** Part of `npm run test:faults:ci`. @defaultValue false */
  readonly inCi?: boolean;
  /** How the service differs from others. */
  readonly service?: Pick<ServiceConfig, 'retention' | 'poisonEvery' | 'stubLookup'>;
  /** How the receiver behaves from the start. @defaultValue 'healthy' */
  readonly mode?: ReceiverMode;
  /** Whether the circuit must open; `'perhaps'`: it may. @defaultValue true */
  readonly opens?: boolean | 'perhaps';
  /** Whether the service is SIGTERMed when the fault has run, instead of awaiting its recovery. @defaultValue false */
  readonly sigterm?: boolean;
  /**
   * What may be lost with retention and without the fallback: nothing, refused batches, what the budget has no room or
   * time for, what a shutdown could not deliver. @defaultValue 'nothing'
   */
  readonly mayLose?: 'nothing' | 'invalid' | 'full' | 'expired' | 'shutdown';
  /** Whether the circuit is CLOSED again in the end. @defaultValue always, but after `sigterm` */
  recovers?(variant: Variant): boolean;
  /**
   * Makes it happen, and ends it.
   *
   * @returns what was wrong, besides what is checked of every fault
   */
  run(context: FaultContext): Promise<readonly string[] | undefined>;
}
