import { createHash, timingSafeEqual } from 'node:crypto';
import express from 'express';

/**
 * `POST /force-open`, `/force-closed` and `/reset` with `Authorization: Bearer <token>`: takes telemetry out of play, and
 * back in, without a redeploy.
 */
export function circuitAdmin(breaker, token) {
  const actions = {
    'force-open': () => breaker.forceOpen(),
    'force-closed': () => breaker.forceClosed(),
    reset: () => breaker.reset(),
  };
  const expected = digest(`Bearer ${token}`);
  const router = express.Router();
  router.use(({ headers }, response, next) => {
    if (timingSafeEqual(digest(headers.authorization ?? ''), expected)) next();
    else response.set('WWW-Authenticate', 'Bearer').sendStatus(401);
  });
  for (const [action, act] of Object.entries(actions)) {
    router.post(`/${action}`, (_request, response) => {
      act();
      const { name, state, forced } = breaker.snapshot();
      // A circuit that is held while it is open, or closed, makes no transition that would be logged.
      console.warn(`circuit ${name}: ${action} by hand, now ${state}`);
      response.json({ state, forced });
    });
  }
  return router;
}

function digest(text) {
  return createHash('sha256').update(text).digest();
}
