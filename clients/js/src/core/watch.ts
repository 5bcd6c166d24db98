/**
 * Whose presence this client watches: a subscription is the connection's, so each new one gets it again.
 *
 * Of two events for one user the one with the later timestamp counts, in whichever order they come; and what comes while an
 * answer is on its way is newer than the answer, and stands in its place.
 */

import type { ParleyError } from "../errors.js";
import type { PresenceEvent } from "../generated/frames.js";
import type { Context } from "./context.js";
import type { CoreEvent } from "./effects.js";
import type { Exchange } from "./exchange.js";
import { asList, isPresence } from "./parsing.js";

type Users = Extract<CoreEvent, { type: "presences" }>["users"];

export class Watch {
  #users: readonly string[] = [];
  #call: number | null = null;
  #open = false;
  #inFlight = false;
  #refusals = 0;
  #notBefore = 0;
  readonly #latest = new Map<string, number>();
  readonly #heard = new Map<string, Users[number]>();

  constructor(
    private readonly context: Context,
    private readonly exchange: Exchange,
  ) {}

  /** Watch these users, and no others. */
  want(users: readonly string[], call: number): void {
    this.context.done(this.#call, []);
    this.#users = users;
    this.#call = call;
    this.#open = true;
    this.#refusals = this.#notBefore = 0;
    for (const user of this.#latest.keys()) if (!users.includes(user)) this.#latest.delete(user);
  }

  /** A user came or went. False for old news. */
  hear({ user_id, status, last_seen, timestamp = 0 }: Partial<PresenceEvent> & Users[number]): boolean {
    if (timestamp < (this.#latest.get(user_id) ?? 0)) return false;
    this.#latest.set(user_id, timestamp);
    this.#heard.set(user_id, { user_id, status, last_seen });
    return true;
  }

  sendDue(now: number): void {
    if (!this.#open || this.#inFlight || now < this.#notBefore) return;
    this.#inFlight = true;
    const asked = this.#users;
    this.#heard.clear();
    this.exchange.transmit(
      { type: "presence", users: [...asked] },
      now,
      (data) => {
        this.#inFlight = false;
        if (asked !== this.#users) return; // others were asked for meanwhile: their turn is next
        this.#open = false;
        const answer = asList(data.users).filter(isPresence) as Users;
        const users = answer.map((user) => this.#heard.get(user.user_id) ?? user);
        this.context.emit({ type: "presences", users });
        this.context.done(this.#call, users);
        this.#call = null;
      },
      (error, later) => this.#refused(asked, error, later),
    );
  }

  nextDue(): number | null {
    return this.#open && !this.#inFlight ? this.#notBefore : null;
  }

  connectionLost(): void {
    this.#inFlight = false;
    this.#refusals = this.#notBefore = 0;
    this.#open ||= this.#users.length > 0;
  }

  /** Tell who waits. */
  stop(error: ParleyError): void {
    this.context.failed(this.#call, error);
    this.#call = null;
  }

  #refused(asked: readonly string[], error: ParleyError, now: number): void {
    this.#inFlight = false;
    if (asked !== this.#users) return;
    this.#refusals++;
    if (error.retryable && this.#refusals < this.context.settings.maxAttempts) {
      this.#notBefore = now + this.context.pause(error.retryAfterMs, this.#refusals - 1);
      return;
    }
    this.#open = false;
    if (this.#call !== null) this.#users = [];
    this.stop(error);
  }
}
