/** Notifications: those that come live, and those that are asked for over HTTP. Each is passed on once. */

import type { ParleyError } from "../errors.js";
import type { Notification } from "../types.js";
import type { Context } from "./context.js";
import { isObject } from "./parsing.js";
import { MAX_PAGE } from "./settings.js";

const REMEMBERED = 10_000;

/**
 * The list is asked for once on each connection, after what was missed in conversations, and again where it was full and all of it
 * is acknowledged by now.
 */
export class Notifying {
  readonly #passedOn = new Set<string>();
  #listed = new Set<string>();
  #due: number | null = null;
  #number = 0;
  #inFlight = false;
  #failures = 0;

  constructor(
    private readonly context: Context,
    private readonly asks: boolean,
    private readonly judged: (notification: Notification) => void,
  ) {}

  connected(now: number): void {
    this.#failures = 0;
    this.#plan(now);
  }

  /** An answer that is still under way says nothing about the next connection. */
  connectionLost(): void {
    this.#due = null;
    this.#inFlight = false;
  }

  heard(notification: unknown): void {
    if (!isObject(notification) || typeof notification.id !== "string" || this.#passedOn.has(notification.id)) return;
    this.#remember(notification.id);
    this.context.emit({ type: "notification", notification: notification as unknown as Notification });
    this.judged(notification as unknown as Notification);
  }

  acknowledged(id: string, now: number): void {
    this.#remember(id);
    if (this.#listed.delete(id) && this.#listed.size === 0) this.#plan(now);
  }

  sendDue(now: number): void {
    if (this.#due === null || this.#inFlight || now < this.#due) return;
    this.#due = null;
    this.#inFlight = true;
    this.context.do({ type: "ask_notifications", number: ++this.#number });
  }

  nextDue(): number | null {
    return this.#inFlight ? null : this.#due;
  }

  /** What the list says is so, however old the question is. */
  answered(number: number, found: unknown[]): void {
    for (const notification of found) this.heard(notification);
    const ids = found.filter(isObject).map((each) => String(each.id));
    this.#listed = new Set(ids.length >= MAX_PAGE ? ids : []);
    if (number === this.#number) {
      this.#inFlight = false;
      this.#failures = 0;
    }
  }

  failed(number: number, error: ParleyError, now: number): void {
    if (number !== this.#number || !this.#inFlight) return;
    this.#inFlight = false;
    if (error.retryable && this.#failures < this.context.settings.maxAttempts) {
      this.#due = now + this.context.pause(error.retryAfterMs, this.#failures++);
    }
  }

  #remember(id: string): void {
    this.#passedOn.add(id);
    const oldest = this.#passedOn.keys().next();
    if (this.#passedOn.size > REMEMBERED && !oldest.done) this.#passedOn.delete(oldest.value);
  }

  #plan(now: number): void {
    if (this.asks) this.#due = now;
  }
}
