/** What a core is made of: its knobs, each with the reason for its default, and what is injected. */

import type { Saved } from "./effects.js";

export type CoreOptions = {
  newId: () => string;
  random: () => number;
  settings?: Partial<Settings>;
  userId?: string | null;
  saved?: Saved;
  /** The shell has an HTTP API to ask; without one, notifications come live only. */
  overHttp?: boolean;
};

/** Times are milliseconds. */
export type Settings = {
  /** Unacknowledged messages; one more is refused with `outbox_full`. */
  maxOutbox: number;
  /** The gateway drops a connection after 10 idle minutes. The actual pause is up to a tenth shorter. */
  heartbeat: number;
  /** Each so many heartbeats all conversations are compared, not just the open one. */
  fullSyncEvery: number;
  /** Silence after a heartbeat for this long means that the connection is dead. */
  pongTimeout: number;
  /** A request without an answer is repeated after this time. Repeating is safe, only not free. */
  requestTimeout: number;
  /** A token, a ticket or anything else over HTTP that takes longer counts as not to be had. */
  answerTimeout: number;
  /** Refusals with `retryable` (and timeouts) of one request before it gives up. */
  maxAttempts: number;
  /** Posts may overtake each other; a gap this old is asked for. */
  gapDelay: number;
  /** `delivered` goes out this long after a message has come, once for all of a conversation. */
  deliveredDelay: number;
  /** What was noted as read waits so long for a message of the conversation to go with … */
  readDelay: number;
  /** … and at most so long while the user types there. */
  readLimit: number;
  /** For reconnecting and for retries: a random share of first, twice, four times … first. */
  backoffFirst: number;
  backoffLimit: number;
};

export const DEFAULTS: Settings = {
  maxOutbox: 1_000,
  heartbeat: 240_000,
  fullSyncEvery: 3,
  pongTimeout: 10_000,
  requestTimeout: 15_000,
  answerTimeout: 20_000,
  maxAttempts: 10,
  gapDelay: 200,
  deliveredDelay: 1_000,
  readDelay: 1_500,
  readLimit: 10_000,
  backoffFirst: 1_000,
  backoffLimit: 30_000,
};

/** "Full jitter", so that clients do not come in waves. */
export function backoff(settings: Settings, attempt: number, random: () => number): number {
  return random() * Math.min(settings.backoffLimit, settings.backoffFirst * 2 ** Math.min(attempt, 32));
}

/** The protocol's limits, as far as the client keeps to them by itself. */
export const MAX_FRAME_BYTES = 32 * 1_024;
export const MAX_NAMED = 500;
export const MAX_WATCHED = 100;
export const MAX_PAGE = 100;
