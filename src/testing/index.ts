export {
  type CircuitCommands,
  type CircuitCommandsOptions,
  type CreateExporter,
  circuitCommands,
  type ExporterUnderTest,
  type FastCheckLike,
  type OpensWithin,
  type RecoversWithin,
} from './circuit-commands.ts';
export { ManualClock } from './manual-clock.ts';
export { ScriptedExporter, type ScriptedOutcome, type ScriptedStep } from './scripted-exporter.ts';
export {
  type Outage,
  type OutageSimulation,
  type SimulatedOutage,
  simulateOutage,
} from './simulate-outage.ts';
