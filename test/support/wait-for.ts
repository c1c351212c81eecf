/** How {@link waitFor} looks, and for how long. */
export interface WaitForOptions {
  /** What is waited for, for the message of the error: "the circuit to open". */
  readonly what: string;
  /** Longest wait. @defaultValue 20_000 */
  readonly timeoutMillis?: number;
  /** Pause between two looks. @defaultValue 10 */
  readonly intervalMillis?: number;
}

/**
 * Polls until the predicate answers something truthy, which is the alternative to a fixed sleep.
 *
 * @param predicate - asked at once and then every `intervalMillis`; one that throws or rejects counts as "not yet"
 * @returns what the predicate answered
 * @throws Error that names `what`, the time waited, and the predicate's last answer or error
 */
export async function waitFor<T>(
  predicate: () => T | Promise<T>,
  { what, timeoutMillis = 20_000, intervalMillis = 10 }: WaitForOptions,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMillis;
  for (;;) {
    let last: unknown;
    try {
      const answer = await predicate();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`waited ${timeoutMillis} ms in vain for ${what}; last answer: ${String(last)}`, {
        cause: last,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMillis));
  }
}

/**
 * Gives a promise a deadline, so that a test that would hang says what it hung on.
 *
 * @throws Error that names `what` when the time is up; the promise's own rejection otherwise
 */
export async function within<T>(
  promise: Promise<T>,
  { what, timeoutMillis = 20_000 }: Pick<WaitForOptions, 'what' | 'timeoutMillis'>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`waited ${timeoutMillis} ms in vain for ${what}`)),
      timeoutMillis,
    );
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
