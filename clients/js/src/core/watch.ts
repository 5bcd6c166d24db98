/** Whose presence this client watches: a subscription is the connection's, so each new one gets it again. */

import type { ParleyError } from "../errors.js";
import type { Context } from "./context.js";
import type { CoreEvent } from "./effects.js";
import type { Exchange } from "./exchange.js";

type Users = Extract<CoreEvent, { type: "presences" }>["users"];

export class Watch {
  private users: readonly string[] = [];
  private call: number | null = null;
  private open = false;
  private inFlight = false;
  private refusals = 0;
  private notBefore = 0;

  constructor(
    private readonly context: Context,
    private readonly exchange: Exchange,
  ) {}

  /** Watch these users, and no others. */
  want(users: readonly string[], call: number): void {
    this.context.done(this.call, []);
    this.users = users;
    this.call = call;
    this.open = true;
    this.refusals = this.notBefore = 0;
  }

  sendDue(now: number): void {
    if (!this.open || this.inFlight || now < this.notBefore) return;
    this.inFlight = true;
    const asked = this.users;
    this.exchange.transmit(
      { type: "presence", users: [...asked] },
      now,
      (data) => {
        this.inFlight = false;
        if (asked !== this.users) return; // others were asked for meanwhile: their turn is next
        this.open = false;
        const users = (Array.isArray(data.users) ? data.users : []) as Users;
        this.context.emit({ type: "presences", users });
        this.context.done(this.call, users);
        this.call = null;
      },
      (error, later) => this.refused(asked, error, later),
    );
  }

  nextDue(): number | null {
    return this.open && !this.inFlight ? this.notBefore : null;
  }

  connectionLost(): void {
    this.inFlight = false;
    this.refusals = this.notBefore = 0;
    this.open ||= this.users.length > 0;
  }

  /** Tell who waits. */
  stop(error: ParleyError): void {
    this.context.failed(this.call, error);
    this.call = null;
  }

  private refused(asked: readonly string[], error: ParleyError, now: number): void {
    this.inFlight = false;
    if (asked !== this.users) return;
    this.refusals++;
    if (error.retryable && this.refusals < this.context.settings.maxAttempts) {
      this.notBefore = now + this.context.pause(error.retryAfterMs, this.refusals - 1);
      return;
    }
    this.open = false;
    if (this.call !== null) this.users = [];
    this.stop(error);
  }
}
