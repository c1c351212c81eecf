export async function register(): Promise<void> {
  // It is also called for the edge runtime.
  if (process.env.NEXT_RUNTIME === 'nodejs') await import('./telemetry.ts');
}
