/** Gets the messages of the outbox stored: attempts, acks, refusals, the search after `sync_required`. */

import { ParleyError } from "../errors.js";
import type { Ack, Entry, Notification } from "../types.js";
import type { Context } from "./context.js";
import type { Cursors } from "./cursors.js";
import type { Exchange } from "./exchange.js";
import { given } from "./given.js";
import { asFailed, asStored, frameOf, Outbox, type Pending } from "./outbox.js";
import { type Frame, isKnown, isSeq } from "./parsing.js";
import { Stream, type Watcher } from "./stream.js";

export class Sender implements Watcher {
  readonly outbox: Outbox;
  readonly stream: Stream;
  userId: string | null;
  private readonly peers = new Map<string, string>();

  constructor(
    private readonly context: Context,
    private readonly exchange: Exchange,
    private readonly cursors: Cursors,
    userId: string | null,
    readonly passed: (entry: Entry) => void,
  ) {
    this.userId = userId;
    this.outbox = new Outbox(context);
    this.stream = new Stream(context, this);
  }

  /** The private conversation with a user: both ids, sorted by code point, as the protocol names it. */
  privateWith = (user: string): string | null => {
    const known = this.peers.get(user);
    if (known !== undefined || this.userId === null) return known ?? null;
    return `dm:${[this.userId, user].sort().join(":")}`;
  };

  identify(user: string): void {
    this.userId = user;
    this.outbox.address(this.privateWith);
  }

  /** Start what can start: of each conversation the first message, unless it is under way or backing off. */
  sendDue(now: number): void {
    for (;;) {
      const items = this.outbox.heads().filter((item) => item.notBefore <= now);
      if (items.length === 0) return;
      for (const item of items) this.#attempt(item, now);
    }
  }

  /** Our own message in the log is as good as its ack. */
  saw(entry: Entry): void {
    if (!isKnown(entry, "new_message")) return;
    for (const item of this.outbox.storedAs(entry.message, this.userId)) {
      this.#settle(item, {
        type: "message",
        conversation_id: entry.conversation_id,
        seq: entry.seq,
        message_id: entry.message.id,
        client_message_id: item.client_message_id,
        timestamp: entry.message.created_at,
        duplicate: item.attempts !== 1,
      });
    }
  }

  /** A message that was held is rejected; one that is approved comes as any other. */
  judged({ data }: Notification): void {
    const item = data?.type === "message_rejected" ? this.outbox.get(String(data.client_message_id)) : undefined;
    if (item?.error?.code === "held") this.#giveUp(item, new ParleyError("rejected", data.reason ?? ""));
  }

  examined(id: string, upto: number): void {
    this.outbox.examined(id, upto);
  }

  /** Tell who waits. The messages stay in the outbox. */
  stop(error: ParleyError): void {
    for (const item of this.outbox.items) {
      this.context.failed(item.call, error);
      item.call = null;
    }
  }

  #attempt(item: Pending, now: number): void {
    try {
      const ack = this.outbox.known(item);
      if (ack !== null) {
        this.#settle(item, { ...ack, duplicate: true });
        return;
      }
    } catch (error) {
      this.#giveUp(item, error as ParleyError);
      return;
    }
    this.outbox.fix(item, this.stream.held(item.conversation_id));
    item.attempts++;
    item.request = this.exchange.transmit(
      { ...frameOf(item), ...given({ read: this.cursors.along(item.conversation_id, now) }) },
      now,
      (data, later) => this.#acked(item, data, later),
      (error, later) => this.#refused(item, error, later),
    );
  }

  #acked(item: Pending, data: Frame, now: number): void {
    item.request = null;
    if (data.status === "held") {
      this.#giveUp(item, new ParleyError("held", "The message waits for review"));
      return;
    }
    if (typeof data.conversation_id !== "string" || !isSeq(data.seq)) {
      this.#refused(item, new ParleyError("internal", "The ack is malformed", true), now);
      return;
    }
    const ack = data as unknown as Ack;
    if (item.to !== null) {
      this.peers.set(item.to, ack.conversation_id);
      this.outbox.address(this.privateWith);
    }
    this.cursors.stored(ack.conversation_id, data.read, now);
    this.#settle(item, ack);
    const unplaced = this.stream.conversation(ack.conversation_id).held === null;
    // An old message does not say where to start, and what a forwarded one says is not known here.
    if (this.userId === null || (unplaced && ack.duplicate) || item.body.forward_of !== undefined) {
      this.stream.heardOf(ack.conversation_id, ack.seq, now);
    } else {
      const message = asStored(item, ack, this.userId);
      const { conversation_id, seq } = message;
      this.stream.entry({ type: "new_message", conversation_id, seq, message }, now);
    }
  }

  #refused(item: Pending, error: ParleyError, now: number): void {
    item.request = null;
    if (error.code === "sync_required" && item.conversation_id !== null && this.userId !== null) {
      const held = this.stream.held(item.conversation_id);
      item.examining = true;
      this.stream.examine(item.conversation_id, item.watched && held !== null ? held : item.after, now);
      return;
    }
    item.refusals++;
    if (error.retryable && item.refusals < this.context.settings.maxAttempts) {
      item.notBefore = now + this.context.pause(error.retryAfterMs, item.refusals - 1);
    } else {
      this.#giveUp(item, error);
    }
  }

  #settle(item: Pending, ack: Ack): void {
    if (item.request !== null) this.exchange.forget(item.request);
    this.outbox.settled(item, ack);
    this.context.done(item.call, ack);
    const { client_message_id } = item;
    this.context.emit({ type: "acked", client_message_id, conversation_id: ack.conversation_id, seq: ack.seq });
  }

  /** It stays where the user sees it, until they ask for it again or let it go. */
  #giveUp(item: Pending, error: ParleyError): void {
    item.error = asFailed(error);
    this.outbox.changed(item);
    this.context.failed(item.call, error);
    item.call = null;
    const { client_message_id, conversation_id } = item;
    this.context.emit({ type: "send_failed", client_message_id, conversation_id, error: item.error });
  }
}
