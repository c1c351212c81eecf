/** A promise, and what resolves it. */
export function openPromise(): { promise: Promise<void>; resolve: (value?: Promise<void>) => void } {
  let resolve: (value?: Promise<void>) => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done as (value?: Promise<void>) => void;
  });
  return { promise, resolve };
}
