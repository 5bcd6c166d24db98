/**
 * Edits, deletions and reactions on their way: each goes on until the server has it or refuses it.
 *
 * The server changes nothing where such a change is in effect already, so trying again is safe. Changes of one message go out one at
 * a time, in the order in which they were asked for, so that the last of them is the one that stays.
 */

import { ParleyError } from "../errors.js";
import type { Data } from "../generated/frames.js";
import type { Changed, KnownEntry } from "../types.js";
import { type Context, earliest } from "./context.js";
import type { Exchange } from "./exchange.js";
import { given } from "./given.js";
import { type Frame, isSeq } from "./parsing.js";
import type { Stream } from "./stream.js";

export type ChangeFields =
  | { type: "edit"; content: string; data?: Data | null | undefined }
  | { type: "delete" }
  | { type: "react"; emoji: string; remove: boolean; user_id?: string };
export type Change = ChangeFields & { conversation_id: string; seq: number };
type Item = { change: Change; call: number | null; inFlight: boolean; attempts: number; refusals: number; at: number };

export class Changes {
  #items: Item[] = [];

  constructor(
    private readonly context: Context,
    private readonly exchange: Exchange,
    private readonly stream: Stream,
    private readonly me: () => string | null,
  ) {}

  add(change: Change, call: number): void {
    this.#items.push({ change, call, inFlight: false, attempts: 0, refusals: 0, at: 0 });
  }

  sendDue(now: number): void {
    for (const item of this.#heads()) if (!item.inFlight && item.at <= now) this.#attempt(item, now);
  }

  nextDue(): number | null {
    return earliest(...this.#heads().flatMap((item) => (item.inFlight ? [] : [item.at])));
  }

  connectionLost(): void {
    for (const item of this.#items) item.inFlight = false;
  }

  /** Tell who waits. Nothing is kept: what was not confirmed may be in effect or not. */
  stop(error: ParleyError): void {
    for (const item of this.#items) this.context.failed(item.call, error);
    this.#items = [];
  }

  /** The first change of each message. */
  #heads(): Item[] {
    const heads = new Map<string, Item>();
    for (const item of this.#items) {
      const key = `${item.change.conversation_id} ${item.change.seq}`;
      if (!heads.has(key)) heads.set(key, item);
    }
    return [...heads.values()];
  }

  #attempt(item: Item, now: number): void {
    item.inFlight = true;
    item.attempts++;
    this.exchange.transmit(
      item.change,
      now,
      (data, later) => this.#confirmed(item, data, later),
      (error, later) => this.#refused(item, error, later),
    );
  }

  #confirmed(item: Item, data: Frame, now: number): void {
    if (data.entry_seq !== null && !isSeq(data.entry_seq)) {
      this.#refused(item, new ParleyError("internal", "The answer is malformed", true), now);
      return;
    }
    const changed = data as unknown as Changed;
    this.#items.splice(this.#items.indexOf(item), 1);
    const me = this.me();
    if (changed.entry_seq === null) {
      // an earlier attempt may have written the entry, and this client was not told
      if (item.attempts > 1) this.stream.catchup.begin();
    } else if (me === null) {
      this.stream.heardOf(item.change.conversation_id, changed.entry_seq, now);
    } else {
      this.stream.entry(asEntry(item.change, changed.entry_seq, changed.timestamp, me), now);
    }
    this.context.done(item.call, changed);
  }

  #refused(item: Item, error: ParleyError, now: number): void {
    item.inFlight = false;
    item.refusals++;
    if (error.retryable && item.refusals < this.context.settings.maxAttempts) {
      item.at = now + this.context.pause(error.retryAfterMs, item.refusals - 1);
      return;
    }
    this.#items.splice(this.#items.indexOf(item), 1);
    this.context.failed(item.call, error);
  }
}

/** The log entry that a change becomes. */
export function asEntry(change: Change, seq: number, timestamp: number, me: string): KnownEntry {
  const { conversation_id } = change;
  const base = { conversation_id, seq, message_seq: change.seq, message_id: `${conversation_id}/${change.seq}` };
  if (change.type === "edit") {
    const { content, data } = change;
    return { type: "message_edited", ...base, user_id: me, timestamp, content, ...given({ data }) };
  }
  if (change.type === "delete") return { type: "message_deleted", ...base, user_id: me, timestamp };
  const whose = change.user_id ?? me;
  const by = whose === me ? {} : { removed_by: me };
  return { type: "reaction", ...base, user_id: whose, ...by, timestamp, emoji: change.emoji, removed: change.remove };
}
