/** `1:05`, or `1:05.5` where it is no whole second. */
export function clockTime(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const rest = Number((seconds - minutes * 60).toFixed(1));
  return `${minutes}:${rest < 10 ? '0' : ''}${rest}`;
}

/** `2.5 s` of milliseconds; `never` of `null`. */
export function secondsOf(millis: number | null): string {
  return millis === null ? 'never' : `${Number((millis / 1_000).toFixed(2)).toLocaleString('en-US')} s`;
}
