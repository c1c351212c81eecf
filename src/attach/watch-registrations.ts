import { API, API_LOGS } from './registered-api.ts';

/**
 * Calls `onRegistered` whenever something is registered with the API. Every registration assigns the global, also where
 * it is there already: `_global[KEY] = _global[KEY] ?? …` in all versions of the API, 1.0 to 1.10.
 *
 * Can be called again: whoever deletes the global deletes the watch with it.
 *
 * @param onRegistered - runs before the registration is complete. Must not throw
 */
export function watchRegistrations(onRegistered: () => void): void {
  for (const key of [API, API_LOGS]) watchAssignments(key, onRegistered);
}

function watchAssignments(key: symbol, onAssigned: () => void): void {
  const before = Object.getOwnPropertyDescriptor(globalThis, key);
  // An accessor is ours, or belongs to somebody who has a reason.
  if (before?.get !== undefined || before?.set !== undefined || before?.configurable === false) return;
  let value: unknown = before?.value;
  Object.defineProperty(globalThis, key, {
    configurable: true,
    enumerable: true,
    get: () => value,
    set(next: unknown) {
      value = next;
      onAssigned();
    },
  });
}
