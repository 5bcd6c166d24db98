/** Requests and their replies, on one connection. */

import { ParleyError } from "../errors.js";
import type { Failure } from "../generated/frames.js";
import { type Context, earliest } from "./context.js";
import { type Frame, isObject } from "./parsing.js";

type Request = {
  at: number;
  done: (data: Frame, now: number) => void;
  failed: (error: ParleyError, now: number) => void;
  call: number | null;
  aboutToken: boolean;
  isPing: boolean;
  isSilent: boolean;
};
type More = { call?: number | null; aboutToken?: boolean };

/**
 * Matches replies to requests by `id`. Of each request exactly one of `done` and `failed` is called, or neither where the
 * connection ends first; then a request with a `call` fails as `connection_lost`. One that wants no reply is silent: it is done once
 * a request that was made `requestTimeout` after it is answered, since a refusal would have been heard by then.
 */
export class Exchange {
  private open = new Map<string, Request>();
  private numbers = 0;

  constructor(private readonly context: Context) {}

  transmit(frame: Frame, now: number, done: Request["done"], failed: Request["failed"], more: More = {}): string {
    const id = String(++this.numbers);
    const { call = null, aboutToken = false } = more;
    this.open.set(id, {
      at: now,
      done,
      failed,
      call,
      aboutToken,
      isPing: frame.type === "ping",
      isSilent: frame.reply === false,
    });
    this.context.do({ type: "transmit", frame: { ...frame, id } });
    return id;
  }

  /** Hand a reply to its request. False where the token is no longer good, and the connection with it. */
  replied(frame: Frame, now: number): boolean {
    const id = String(frame.id);
    const request = this.open.get(id);
    if (request === undefined) return true; // answered late, or twice
    if (!request.isSilent) {
      for (const each of this.#takeSilent(request.at - this.context.settings.requestTimeout)) each.done({}, now);
    }
    if (frame.success === true) {
      this.open.delete(id);
      request.done(isObject(frame.data) ? frame.data : {}, now);
      return true;
    }
    const error = ParleyError.fromWire(frame as Partial<Failure>);
    if ((error.code === "token_expired" || error.code === "unauthenticated") && !request.aboutToken) return false;
    this.open.delete(id);
    request.failed(error, now);
    return true;
  }

  /** The gateway could not serve some frame, and does not say which: none of the silent ones counts as served. */
  failSilent(now: number): void {
    for (const each of this.#takeSilent(now)) each.failed(new ParleyError("unavailable", "Not served", true), now);
  }

  forget(id: string): void {
    this.open.delete(id);
  }

  /** Fail what has waited too long. Returns whether there was any that leaves the connection in doubt: a ping does not. */
  expire(now: number): boolean {
    const late = this.#waiting().filter(([, request]) => now >= request.at + this.context.settings.requestTimeout);
    for (const [id] of late) this.open.delete(id);
    for (const [, request] of late) {
      request.failed(new ParleyError("timeout", "There was no answer in time", true), now);
    }
    return late.some(([, request]) => !request.isPing);
  }

  nextDue(): number | null {
    const oldest = earliest(...this.#waiting().map(([, request]) => request.at));
    return oldest === null ? null : oldest + this.context.settings.requestTimeout;
  }

  /** Those that are to be answered, or are `isSilent`. */
  #waiting(isSilent = false) {
    return [...this.open].filter(([, request]) => request.isSilent === isSilent);
  }

  #takeSilent(until: number): Request[] {
    const taken = this.#waiting(true).filter(([, request]) => request.at <= until);
    for (const [id] of taken) this.open.delete(id);
    return taken.map(([, request]) => request);
  }

  connectionLost(): void {
    const lost = [...this.open.values()];
    this.open = new Map();
    for (const request of lost) this.context.failed(request.call, notConnected());
  }
}

export function notConnected(): ParleyError {
  return new ParleyError("connection_lost", "There is no connection to answer this", true);
}
