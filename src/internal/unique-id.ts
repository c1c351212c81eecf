/**
 * Makes ids that are unique across processes: the time, chance, and a number.
 *
 * @param unixMillis - asked at the first id
 */
export function createIds(unixMillis: () => number, random: () => number = Math.random): () => string {
  let prefix: string | undefined;
  let count = 0;
  return () => {
    // At the first id rather than at once: some platforms refuse chance while a module loads.
    prefix ??= `${Math.trunc(unixMillis()).toString(36)}-${Math.trunc(random() * 2 ** 48).toString(36)}`;
    count++;
    return `${prefix}-${count}`;
  };
}
