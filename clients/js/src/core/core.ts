/**
 * The client without its I/O: a state machine that is told what happens and says what to do.
 *
 * Nothing here reads a clock, draws a number, or touches a socket: `now` (milliseconds, monotonic) comes with every call, ids and
 * randomness are injected. The shell's part:
 * - `start`; after every call keep the `save` of `take()` and then do each of its `effects`; call `tick` when `deadline()` is reached;
 * - where keeping fails, do nothing of the rest;
 * - on connect: open a connection, then `connected`, or `lost` where that failed;
 * - feed each frame of that connection to `receive`, and say `lost` when it ends. Nothing of an earlier one may come in after that.
 */

import { ParleyError } from "../errors.js";
import type { Where } from "../types.js";
import type { Change } from "./changes.js";
import { checkSize } from "./context.js";
import type { Body, Effect, Save, Saved, SavedCursor } from "./effects.js";
import { notConnected } from "./exchange.js";
import { Machine } from "./machine.js";
import { frameOf, fresh, type Pending } from "./outbox.js";
import type { Frame } from "./parsing.js";
import { type CoreOptions, MAX_WATCHED } from "./settings.js";

export const STATE_VERSION = 1;

export class Core extends Machine {
  private readonly newId: () => string;
  private calls = 0;

  constructor(options: CoreOptions) {
    super(options);
    this.newId = options.newId;
    if (options.saved !== undefined) this.#restore(options.saved);
  }

  /** The messages that are not acknowledged, in the order of writing; those with an `error` wait for the user. */
  get unacked(): readonly Pending[] {
    return this.sender.outbox.items;
  }

  /** The last entry passed on in this conversation; null for one that is not known. */
  held(id: string): number | null {
    return this.sender.stream.held(id);
  }

  /** Whether the own user is out of it. */
  isOver(id: string): boolean {
    return this.sender.stream.isOver(id);
  }

  privateWith(user: string): string | null {
    return this.sender.privateWith(user);
  }

  /** What to keep, and then what to do, in this order. Each is handed out once. */
  take(): { save: Save | null; effects: Effect[] } {
    const { context } = this;
    const { effects } = context;
    context.effects = [];
    const { unsaved, conversations, messages } = context;
    if (unsaved.size + conversations.size + messages.size === 0) return { save: null, effects };
    const save: Save = { conversations: [], put: [], drop: [] };
    for (const id of conversations) {
      const { held, refused, ended, order } = this.sender.stream.conversation(id);
      save.conversations.push({ id, held, over: refused, ended, order });
    }
    for (const id of messages) {
      const item = this.sender.outbox.saved(id);
      if (item === null) save.drop.push(id);
      else save.put.push(item);
    }
    if (unsaved.has("meta")) save.meta = this.#meta();
    if (unsaved.has("cursors")) save.cursors = this.cursors.saved();
    for (const each of [unsaved, conversations, messages]) each.clear();
    return { save, effects };
  }

  // --- what the application asks for; each returns the number of a call that ends with done or failed

  /** Store and deliver a message. Throws at once for what could never be sent, or has no room. */
  send(where: Where, body: Body, now: number, createdAt: number, id?: string): { call: number; item: Pending } {
    this.#checkOpen();
    const { outbox, stream } = this.sender;
    if (outbox.items.length >= this.context.settings.maxOutbox) {
      throw new ParleyError("outbox_full", "Too many messages wait for their ack", true);
    }
    const to = "to" in where ? where.to : null;
    const conversation = "to" in where ? this.privateWith(where.to) : where.conversation_id;
    const call = ++this.calls;
    const item: Pending = {
      ...fresh(),
      order: 0,
      call,
      to,
      conversation_id: conversation,
      body,
      client_message_id: id ?? this.newId(),
      after: stream.held(conversation) ?? 0,
      created_at: createdAt,
    };
    checkSize(frameOf(item));
    const twin = outbox.get(item.client_message_id);
    if (twin !== undefined) throw new ParleyError("conflict", "This client_message_id is on its way already");
    outbox.add(item);
    // who writes in the open conversation has read what the application shows of it
    if (conversation !== null && conversation === this.openConversation) {
      this.noteRead(conversation, stream.held(conversation) ?? 0, now);
    }
    this.pump(now);
    return { call, item };
  }

  /** A refused message once more: the same one, with the same id and the same `after`. */
  resend(id: string, now: number): { call: number; item: Pending } {
    this.#checkOpen();
    const item = this.sender.outbox.get(id);
    if (item?.error === undefined) throw new ParleyError("not_found", "There is no such refused message");
    delete item.error;
    item.refusals = item.notBefore = 0;
    item.call = ++this.calls;
    this.sender.outbox.changed(item);
    this.pump(now);
    return { call: item.call, item };
  }

  /** Let a refused message go. */
  discard(id: string): void {
    const item = this.sender.outbox.get(id);
    if (item?.error !== undefined) this.sender.outbox.settled(item);
  }

  /** Move an own cursor, in `delay`. It goes on until the server has it, over reconnects. */
  mark(kind: SavedCursor["kind"], id: string, seq: number, now: number, delay = 0): number {
    this.#checkOpen();
    const call = ++this.calls;
    if (this.cursors.want(kind, id, seq, now + delay, call)) this.pump(now);
    else this.context.done(call);
    return call;
  }

  /** The user has read up to `seq`: told with the next message there, or in a while, and over reconnects. */
  noteRead(id: string, seq: number, now: number): void {
    this.#checkOpen();
    if (this.cursors.want("read", id, seq, now + this.context.settings.readDelay)) this.pump(now);
  }

  /** Nothing that waits for company waits any longer: the application is about to end, or out of sight. */
  tellRead(now: number): void {
    this.cursors.hurry(now);
    this.pump(now);
  }

  /** Edit, delete, or react to a message. It goes on until the server has it or refuses it, over reconnects. */
  change(change: Change, now: number): number {
    this.#checkOpen();
    checkSize(change);
    const call = ++this.calls;
    this.changes.add(change, call);
    this.pump(now);
    return call;
  }

  /** Whose presence to watch from now on, over reconnects. Done with how they are now. */
  watch(users: readonly string[], now: number): number {
    this.#checkOpen();
    if (users.length > MAX_WATCHED) {
      throw new ParleyError("bad_request", `At most ${MAX_WATCHED} users can be watched`);
    }
    const call = ++this.calls;
    this.watcher.want([...users], call);
    this.pump(now);
    return call;
  }

  /** Any other frame, sent once: it fails where there is no connection, or none any more. */
  request(frame: Frame, now: number): number {
    this.#checkOpen();
    checkSize(frame);
    if (frame.type === "typing") this.cursors.typing(String(frame.conversation_id), frame.active !== false, now);
    const call = ++this.calls;
    if (this.isServed) {
      this.exchange.transmit(
        frame,
        now,
        (data) => this.context.done(call, data),
        (error) => this.context.failed(call, error),
        { call },
      );
    } else {
      this.context.failed(call, notConnected());
    }
    return call;
  }

  /** An entry exists that is not here, as something other than this connection has told. */
  heardOf(id: string, seq: number, now: number): void {
    this.sender.stream.heardOf(id, seq, now);
    this.pump(now);
  }

  #checkOpen(): void {
    if (this.link.state === "stopped") throw this.error ?? new ParleyError("closed", "The client was closed", true);
  }

  #meta() {
    return {
      version: STATE_VERSION,
      user_id: this.userId,
      synced: this.sender.stream.catchup.complete,
      own: this.own.held,
    };
  }

  /** Throws for a state of another version, or another user's. */
  #restore(saved: Saved): void {
    if (saved.meta !== null) {
      if (saved.meta.version !== STATE_VERSION) {
        throw new ParleyError("not_saved", "The store is another version's");
      }
      if (saved.meta.user_id !== null) this.identify(saved.meta.user_id);
      this.sender.stream.catchup.complete = saved.meta.synced;
      this.own.held = saved.meta.own ?? null;
    }
    for (const each of [...saved.conversations].sort((a, b) => a.order - b.order)) this.sender.stream.restore(each);
    for (const each of saved.outbox) this.sender.outbox.restore(each);
    for (const each of saved.cursors) this.cursors.want(each.kind, each.conversation_id, each.seq, 0);
    this.context.conversations.clear();
    this.context.unsaved.clear();
  }
}
