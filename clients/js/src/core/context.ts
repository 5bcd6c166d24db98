/** What the parts of the core share: how to say something to the shell, and what is not kept yet. */

import { ParleyError } from "../errors.js";
import type { CoreEvent, Effect } from "./effects.js";
import { backoff, MAX_FRAME_BYTES, type Settings } from "./settings.js";

export class Context {
  effects: Effect[] = [];
  readonly unsaved = new Set<"meta" | "cursors">();
  readonly conversations = new Set<string>();
  readonly messages = new Set<string>();

  constructor(
    readonly settings: Settings,
    readonly random: () => number,
  ) {}

  do(effect: Effect): void {
    this.effects.push(effect);
  }

  emit(event: CoreEvent): void {
    this.effects.push({ type: "event", event });
  }

  done(call: number | null, value?: unknown): void {
    if (call !== null) this.do({ type: "done", call, value });
  }

  failed(call: number | null, error: ParleyError): void {
    if (call !== null) this.do({ type: "failed", call, error });
  }

  backoff(attempt: number): number {
    return backoff(this.settings, attempt, this.random);
  }

  /** Jitter on top of what the server asks for: those that it sent away together do not come back together. */
  pause(retryAfterMs: number | undefined, attempt: number): number {
    return (retryAfterMs ?? 0) + this.backoff(attempt);
  }
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** Throws where a frame could not be sent at all: the gateway would close the connection, and it would be resent for ever. */
export function checkSize(frame: Record<string, unknown>): void {
  for (const value of Object.values(frame)) {
    if (typeof value === "string" && LONE_SURROGATE.test(value)) {
      throw new ParleyError("bad_request", "The text holds half a surrogate pair");
    }
  }
  if (new TextEncoder().encode(JSON.stringify(frame)).length + 64 > MAX_FRAME_BYTES) {
    throw new ParleyError("too_large", `A frame holds at most ${MAX_FRAME_BYTES} bytes`);
  }
}

/** The least of those that are there. */
export function earliest(...times: (number | null)[]): number | null {
  let least: number | null = null;
  for (const time of times) if (time !== null && (least === null || time < least)) least = time;
  return least;
}
