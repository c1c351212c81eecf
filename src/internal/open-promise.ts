/** A promise, and what resolves it. */
export interface OpenPromise {
  readonly promise: Promise<void>;
  resolve(value?: Promise<void>): void;
}

/** A promise that is resolved from outside. */
export function openPromise(): OpenPromise {
  let resolve: OpenPromise['resolve'] = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done as OpenPromise['resolve'];
  });
  return { promise, resolve };
}
