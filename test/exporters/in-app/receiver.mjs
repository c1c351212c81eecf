/** Lets the receiver become healthy, hang, … @returns the number of requests that it has had */
export async function receiver(mode) {
  const { requests } = await new Promise((resolve) => {
    process.once('message', resolve);
    process.send({ mode });
  });
  return requests;
}

/** The end of the script. */
export function report(seen) {
  process.send({ report: seen }, () => process.exit());
}
