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
import type { Entry, Where } from "../types.js";
import { type Change, Changes } from "./changes.js";
import { Context, checkSize, earliest } from "./context.js";
import { Cursors } from "./cursors.js";
import type { Body, Effect, Save, Saved, SavedCursor } from "./effects.js";
import { Exchange, notConnected } from "./exchange.js";
import { Link } from "./link.js";
import { Notifying } from "./notifying.js";
import { frameOf, fresh, type Pending } from "./outbox.js";
import { asEntry, type Frame, isKnown } from "./parsing.js";
import { Renewal } from "./renewal.js";
import { Sender } from "./sender.js";
import { DEFAULTS, MAX_WATCHED, type Settings } from "./settings.js";
import { Watch } from "./watch.js";

export const STATE_VERSION = 1;

export type CoreOptions = {
  newId: () => string;
  random: () => number;
  settings?: Partial<Settings>;
  userId?: string | null;
  saved?: Saved;
  /** The shell has an HTTP API to ask; without one, notifications come live only. */
  overHttp?: boolean;
};

export class Core {
  openConversation: string | null = null;
  error: ParleyError | null = null;
  private readonly context: Context;
  private readonly link: Link;
  private readonly exchange: Exchange;
  private readonly sender: Sender;
  private readonly cursors: Cursors;
  private readonly changes: Changes;
  private readonly watcher: Watch;
  private readonly renewal: Renewal;
  private readonly notifying: Notifying;
  private readonly newId: () => string;
  private calls = 0;
  private now = 0;
  private caughtUp = false;

  constructor(options: CoreOptions) {
    const context = new Context({ ...DEFAULTS, ...options.settings }, options.random);
    this.context = context;
    this.newId = options.newId;
    this.link = new Link(context);
    this.exchange = new Exchange(context);
    this.sender = new Sender(context, this.exchange, options.userId ?? null, (entry) => this.passed(entry));
    this.cursors = new Cursors(context, this.exchange);
    this.changes = new Changes(context, this.exchange, this.sender.stream, () => this.userId);
    this.watcher = new Watch(context, this.exchange);
    this.renewal = new Renewal(
      context,
      this.exchange,
      (now) => this.resume(now),
      (now) => this.endWithToken(now),
    );
    this.notifying = new Notifying(context, options.overHttp === true);
    if (options.saved !== undefined) this.restore(options.saved);
  }

  get userId(): string | null {
    return this.sender.userId;
  }

  /** One of idle, waiting, connecting, online, stopped. */
  get connection(): Link["state"] {
    return this.link.state;
  }

  /** Whether there is a connection whose token is good, as far as is known. */
  get isServed(): boolean {
    return this.link.state === "online" && !this.renewal.waiting;
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
    if (unsaved.has("meta")) save.meta = this.meta();
    if (unsaved.has("cursors")) save.cursors = this.cursors.saved();
    for (const each of [unsaved, conversations, messages]) each.clear();
    return { save, effects };
  }

  /** When to call `tick`, if nothing happens before. */
  deadline(): number | null {
    if (this.link.state !== "online") return this.link.nextDue();
    if (this.renewal.waiting) return this.exchange.nextDue();
    const always = earliest(this.link.nextDue(), this.exchange.nextDue(), this.renewal.nextDue());
    const { stream, outbox } = this.sender;
    const asking = stream.catchup.nextDue();
    if (!stream.catchup.answered) return earliest(always, asking);
    const parts = [outbox, this.cursors, this.changes, this.watcher, this.notifying];
    return earliest(always, asking, ...parts.map((part) => part.nextDue()));
  }

  // --- what the shell puts in about the connection

  start(): void {
    if (this.link.state === "idle") this.connect();
  }

  /** Who this client is, as soon as that is known. Throws for another user's state. */
  identify(user: string): void {
    if (this.userId === user) return;
    if (this.userId !== null) {
      throw new ParleyError("wrong_user", `This client is ${this.userId}'s, and the token is ${user}'s`);
    }
    this.sender.identify(user);
    this.context.unsaved.add("meta");
  }

  /** `tokenLeft`: until the token of this connection expires, where a fresh one can be had for it. */
  connected(now: number, tokenLeft: number | null = null): void {
    if (this.link.state !== "connecting") return;
    this.link.connected(now);
    this.renewal.plan(now, tokenLeft);
    this.sender.stream.catchup.connected();
    this.notifying.connected(now);
    this.caughtUp = false;
    this.context.emit({ type: "connection", state: "catching_up" });
    this.pump(now);
  }

  renew(token: string, tokenLeft: number | null, now: number): void {
    if (this.link.state === "online") this.renewal.authenticate(token, tokenLeft, now);
  }

  notRenewed(now: number): void {
    if (this.link.state === "online") this.renewal.notHad(now);
  }

  notified(number: number, found: unknown[], now: number): void {
    this.notifying.answered(number, found);
    this.pump(now);
  }

  notNotified(number: number, error: ParleyError, now: number): void {
    this.notifying.failed(number, error, now);
  }

  acknowledged(id: string, now: number): void {
    this.notifying.acknowledged(id, now);
    this.pump(now);
  }

  /** The connection ended, or could not be made. The next one is planned. */
  lost(now: number, reason: string, code?: string): void {
    if (this.link.state !== "connecting" && this.link.state !== "online") return;
    this.forgetConnection();
    const retryIn = this.link.lost(now);
    this.context.emit({ type: "connection", state: "offline", reason, ...(code ? { code } : {}), retryIn });
  }

  /** The machine is on a network again, or its page is looked at: try at once, or see whether the connection lives. */
  nudge(now: number): void {
    this.link.hurry(now);
    if (this.isServed) {
      this.link.expectPong(now);
      this.beat(now);
    }
    this.tick(now);
  }

  /** The machine says that it is on no network any more: nothing is waited for until the next try. */
  cutOff(now: number): void {
    if (this.link.state === "connecting" || this.link.state === "online") this.drop("no network", now);
  }

  /** The end, asked for or forced. Who waits is told; the outbox stays. */
  stop(error: ParleyError = new ParleyError("closed", "The client was closed", true)): void {
    if (this.link.state === "stopped") return;
    this.forgetConnection();
    this.link.state = "stopped";
    this.error = error;
    for (const part of [this.sender, this.changes, this.watcher, this.cursors]) part.stop(error);
    this.context.emit({ type: "connection", state: "ended", reason: error.reason, code: error.code });
  }

  /** A frame of the current connection. */
  receive(frame: Frame, now: number): void {
    if (this.link.state !== "online") return;
    this.now = now;
    this.link.alive();
    if (!("success" in frame)) this.onEvent(frame, now);
    else if (!this.exchange.replied(frame, now)) this.onRefusedToken(String(frame.code), now);
    this.pump(now);
  }

  /** Time has passed. */
  tick(now: number): void {
    this.now = now;
    if (this.link.shouldConnect(now)) this.connect();
    if (this.link.isDead(now)) this.drop("The server no longer answers", now);
    if (this.link.state !== "online") return;
    if (this.renewal.hasEnded(now)) this.onRefusedToken("token_expired", now);
    if (this.renewal.waiting) {
      this.exchange.expire(now);
      return;
    }
    if (this.exchange.expire(now)) {
      this.link.expectPong(now);
      this.beat(now);
    }
    if (this.link.shouldBeat(now)) {
      if (this.link.beat(now)) this.sender.stream.catchup.begin();
      this.beat(now);
    }
    this.renewal.act(now);
    this.pump(now);
  }

  // --- what the application asks for; each returns the number of a call that ends with done or failed

  /** Store and deliver a message. Throws at once for what could never be sent, or has no room. */
  send(where: Where, body: Body, now: number, createdAt: number, id?: string): { call: number; item: Pending } {
    this.checkOpen();
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
      this.cursors.want("read", conversation, stream.held(conversation) ?? 0, now);
    }
    this.pump(now);
    return { call, item };
  }

  /** A refused message once more: the same one, with the same id and the same `after`. */
  resend(id: string, now: number): { call: number; item: Pending } {
    this.checkOpen();
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

  /** Move an own cursor. It goes on until the server has it, over reconnects. */
  mark(kind: SavedCursor["kind"], id: string, seq: number, now: number): number {
    this.checkOpen();
    const call = ++this.calls;
    if (this.cursors.want(kind, id, seq, now, call)) this.pump(now);
    else this.context.done(call);
    return call;
  }

  /** Edit, delete, or react to a message. It goes on until the server has it or refuses it, over reconnects. */
  change(change: Change, now: number): number {
    this.checkOpen();
    checkSize(change);
    const call = ++this.calls;
    this.changes.add(change, call);
    this.pump(now);
    return call;
  }

  /** Whose presence to watch from now on, over reconnects. Done with how they are now. */
  watch(users: readonly string[], now: number): number {
    this.checkOpen();
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
    this.checkOpen();
    checkSize(frame);
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

  // --- inside

  private passed(entry: Entry): void {
    if (isKnown(entry, "new_message") && entry.message.sender_id !== this.userId) {
      this.cursors.want("delivered", entry.conversation_id, entry.seq, this.now + this.context.settings.deliveredDelay);
    }
  }

  private onEvent(frame: Frame, now: number): void {
    const entry = asEntry(frame);
    if (entry !== null) {
      this.sender.stream.entry(entry, now);
    } else if (frame.type === "disconnect") {
      this.onDisconnect(frame, now);
    } else if (frame.type === "notification") {
      this.notifying.heard(frame.notification);
    } else if (frame.type === "presence" && !this.isNews(frame)) {
      return; // of two events the later counts
    } else if (typeof frame.type === "string" && !this.sender.stream.isOver(frame.conversation_id)) {
      this.context.emit({ type: "ephemeral", event: { ...frame, type: frame.type } });
    }
  }

  private isNews({ user_id, status, last_seen, timestamp }: Frame): boolean {
    const presence = { user_id: String(user_id), status: status as "online", last_seen: last_seen as null };
    return this.watcher.hear(presence, Number(timestamp) || 0);
  }

  private onDisconnect(frame: Frame, now: number): void {
    const code = String(frame.code ?? "");
    if (frame.reconnect === false) {
      this.context.do({ type: "disconnect", reason: code });
      this.stop(new ParleyError(code || "disconnected", `The server ended the connection for good: ${code}`));
    } else {
      this.drop(`The server ended the connection: ${code}`, now, code);
    }
  }

  /** Send whatever is due. */
  private pump(now: number): void {
    this.now = now;
    if (!this.isServed) return;
    const { stream } = this.sender;
    const named = stream.catchup.request(now);
    if (named !== null) {
      const cursor = stream.catchup.cursor;
      this.exchange.transmit(
        { type: "sync", conversations: Object.fromEntries(named), ...(cursor === null ? {} : { cursor }) },
        now,
        (data, later) => this.onSynced(data, later),
        (error, later) => stream.catchup.failed(error, later),
      );
    }
    if (stream.catchup.answered) {
      for (const part of [this.sender, this.cursors, this.changes, this.watcher, this.notifying]) part.sendDue(now);
    }
    if (!this.caughtUp && stream.catchup.idle) {
      this.caughtUp = true;
      this.context.emit({ type: "connection", state: "online" });
    }
  }

  private onSynced(data: Frame, now: number): void {
    this.link.failures = 0; // this connection is of use
    this.renewal.proven();
    this.sender.stream.synced(data, now);
    const { broken } = this.sender.stream;
    if (broken === null) return;
    this.context.do({ type: "disconnect", reason: broken.code });
    this.stop(broken);
  }

  /** A ping that names the open conversation, or the one in which something happened last. */
  private beat(now: number): void {
    const where = this.openConversation ?? this.sender.stream.latest();
    const held = this.sender.stream.held(where);
    const what = where === null || held === null ? {} : { conversation_id: where, seq: held };
    this.exchange.transmit(
      { type: "ping", ...what },
      now,
      (data, later) => {
        if (data.behind === true && where !== null && held !== null) {
          this.sender.stream.heardOf(where, held + 1, later);
        }
      },
      () => {},
    );
  }

  private connect(): void {
    this.link.state = "connecting";
    this.context.emit({ type: "connection", state: "connecting" });
    this.context.do({ type: "connect" });
  }

  private drop(reason: string, now: number, code?: string): void {
    this.context.do({ type: "disconnect", reason });
    this.lost(now, reason, code);
  }

  /** The connection lives on with a fresh token, where there is a source of them; else it ends with its own. */
  private onRefusedToken(code: string, now: number): void {
    if (code === "token_expired" && this.renewal.beginLate()) this.forgetRequests();
    else this.endWithToken(now);
  }

  /** A token has come after the last one's end. What was posted in between never came: as after a connect. */
  private resume(now: number): void {
    this.sender.stream.catchup.connected();
    this.notifying.connected(now);
  }

  private endWithToken(now: number): void {
    this.drop("The token is no longer accepted", now, "token_expired");
  }

  private forgetConnection(): void {
    this.renewal.forget();
    this.forgetRequests();
  }

  /** Nothing that was under way is answered any more. */
  private forgetRequests(): void {
    const { stream, outbox } = this.sender;
    const parts = [this.exchange, outbox, this.cursors, this.changes, this.watcher, this.notifying, stream];
    for (const part of parts) part.connectionLost();
  }

  private checkOpen(): void {
    if (this.link.state === "stopped") throw this.error ?? new ParleyError("closed", "The client was closed", true);
  }

  private meta() {
    return { version: STATE_VERSION, user_id: this.userId, synced: this.sender.stream.catchup.complete };
  }

  /** Throws for a state of another version, or another user's. */
  private restore(saved: Saved): void {
    if (saved.meta !== null) {
      if (saved.meta.version !== STATE_VERSION) {
        throw new ParleyError("not_saved", "The store is of another version of the client");
      }
      if (saved.meta.user_id !== null) this.identify(saved.meta.user_id);
      this.sender.stream.catchup.complete = saved.meta.synced;
    }
    for (const each of [...saved.conversations].sort((a, b) => a.order - b.order)) this.sender.stream.restore(each);
    for (const each of saved.outbox) this.sender.outbox.restore(each);
    for (const each of saved.cursors) this.cursors.want(each.kind, each.conversation_id, each.seq, 0);
    this.context.conversations.clear();
    this.context.unsaved.clear();
  }
}
