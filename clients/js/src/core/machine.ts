/** The core's half that talks to the server: the connection, what comes over it, and what is due to go out. */

import { ParleyError } from "../errors.js";
import type { Entry } from "../types.js";
import { Changes } from "./changes.js";
import { Context, earliest } from "./context.js";
import { isChannel } from "./conversation.js";
import { Cursors } from "./cursors.js";
import { Exchange } from "./exchange.js";
import { given } from "./given.js";
import { Link } from "./link.js";
import { Notifying } from "./notifying.js";
import { OwnLog } from "./own.js";
import { asEntry, asEvent, asPack, type Frame, isKnown, isLive, isSeq } from "./parsing.js";
import { Renewal, type TokenLife } from "./renewal.js";
import { Sender } from "./sender.js";
import { type CoreOptions, DEFAULTS } from "./settings.js";
import { Watch } from "./watch.js";

/** Of very many readers most pings would find a pack that is being posted: it has two minutes to come. */
const PACK_ON_ITS_WAY = 120_000;

/** See `core.ts`, which is this and what applications ask for. */
export class Machine {
  openConversation: string | null = null;
  error: ParleyError | null = null;
  protected readonly context: Context;
  protected readonly link: Link;
  protected readonly exchange: Exchange;
  protected readonly sender: Sender;
  protected readonly cursors: Cursors;
  protected readonly changes: Changes;
  protected readonly watcher: Watch;
  protected readonly own: OwnLog;
  readonly #renewal: Renewal;
  readonly #notifying: Notifying;
  protected now = 0;
  #caughtUp = false;

  constructor(options: CoreOptions) {
    const context = new Context({ ...DEFAULTS, ...options.settings }, options.random);
    this.context = context;
    this.link = new Link(context);
    this.exchange = new Exchange(context);
    this.cursors = new Cursors(context, this.exchange);
    this.sender = new Sender(context, this.exchange, this.cursors, options.userId ?? null, (entry) =>
      this.#passed(entry),
    );
    this.changes = new Changes(context, this.exchange, this.sender.stream, () => this.userId);
    this.watcher = new Watch(context, this.exchange);
    this.own = new OwnLog(context, () => this.sender.stream.catchup.begin());
    this.#renewal = new Renewal(
      context,
      this.exchange,
      (now) => this.#resume(now),
      (now) => this.#endWithToken(now),
    );
    this.#notifying = new Notifying(context, options.overHttp === true, (told) => this.sender.judged(told));
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
    return this.link.state === "online" && !this.#renewal.waiting;
  }

  /** When to call `tick`, if nothing happens before. */
  deadline(): number | null {
    if (this.link.state !== "online") return this.link.nextDue();
    if (this.#renewal.waiting) return this.exchange.nextDue();
    const always = earliest(this.link.nextDue(), this.exchange.nextDue(), this.#renewal.nextDue());
    const { stream, outbox } = this.sender;
    const asking = stream.catchup.nextDue();
    if (!stream.catchup.answered) return earliest(always, asking);
    const parts = [outbox, this.cursors, this.changes, this.watcher, this.#notifying];
    return earliest(always, asking, ...parts.map((part) => part.nextDue()));
  }

  // --- what the shell puts in about the connection

  start(): void {
    if (this.link.state === "idle") this.#connect();
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

  /** `token`: what is known of the connection's own. */
  connected(now: number, token: TokenLife | null = null): void {
    if (this.link.state !== "connecting") return;
    this.link.connected(now);
    this.#renewal.plan(now, token);
    this.sender.stream.catchup.connected();
    this.own.connected();
    this.#notifying.connected(now);
    this.#caughtUp = false;
    this.context.emit({ type: "connection", state: "catching_up" });
    this.pump(now);
  }

  renew(token: string, left: number | null, now: number): void {
    if (this.link.state === "online") this.#renewal.authenticate(token, left, now);
  }

  notRenewed(now: number): void {
    if (this.link.state === "online") this.#renewal.notHad(now);
  }

  notified(number: number, found: unknown[], now: number): void {
    this.#notifying.answered(number, found);
    this.pump(now);
  }

  notNotified(number: number, error: ParleyError, now: number): void {
    this.#notifying.failed(number, error, now);
  }

  acknowledged(id: string, now: number): void {
    this.#notifying.acknowledged(id, now);
    this.pump(now);
  }

  /** The connection ended, or could not be made. The next one is planned. */
  lost(now: number, reason: string, code?: string): void {
    if (this.link.state !== "connecting" && this.link.state !== "online") return;
    this.#forgetConnection();
    const retryIn = this.link.lost(now);
    this.context.emit({ type: "connection", state: "offline", reason, ...given({ code }), retryIn });
  }

  /** The machine is on a network again, or its page is looked at: try at once, or see whether the connection lives. */
  nudge(now: number): void {
    this.link.hurry(now);
    if (this.isServed) {
      this.link.expectPong(now);
      this.#beat(now);
    }
    this.tick(now);
  }

  /** The machine says that it is on no network any more: nothing is waited for until the next try. */
  cutOff(now: number): void {
    if (this.link.state === "connecting" || this.link.state === "online") this.#drop("no network", now);
  }

  /** The end, asked for or forced. Who waits is told; the outbox stays. */
  stop(error: ParleyError = new ParleyError("closed", "The client was closed", true)): void {
    if (this.link.state === "stopped") return;
    this.#forgetConnection();
    this.link.state = "stopped";
    this.error = error;
    for (const part of [this.sender, this.changes, this.watcher, this.cursors]) part.stop(error);
    const { reason, code, until } = error;
    this.context.emit({ type: "connection", state: "ended", reason, code, ...given({ until }) });
  }

  /** A frame of the current connection. */
  receive(frame: Frame, now: number): void {
    if (this.link.state !== "online") return;
    this.now = now;
    this.link.alive();
    if (!("success" in frame)) this.#onEvent(frame, now);
    else if (!this.exchange.replied(frame, now)) this.#onRefusedToken(String(frame.code), now);
    this.pump(now);
  }

  /** Time has passed. */
  tick(now: number): void {
    this.now = now;
    if (this.link.shouldConnect(now)) this.#connect();
    if (this.link.isDead(now)) this.#drop("The server no longer answers", now);
    if (this.link.state !== "online") return;
    if (this.#renewal.hasEnded(now)) this.#onRefusedToken("token_expired", now);
    if (this.#renewal.waiting) {
      this.exchange.expire(now);
      return;
    }
    if (this.exchange.expire(now) || this.#renewal.isInDoubt(now)) {
      this.link.expectPong(now);
      this.#beat(now);
    }
    if (this.link.shouldBeat(now)) {
      if (this.link.beat(now)) this.sender.stream.catchup.begin();
      this.#beat(now);
    }
    this.#renewal.act(now);
    this.pump(now);
  }

  // --- inside

  #passed(entry: Entry): void {
    if (!isKnown(entry, "new_message")) return;
    const { conversation_id: where, seq, message } = entry;
    // in a channel it is for nothing but to spare who is mentioned a push
    const isFor = !isChannel(where) || message.mentions?.includes(this.userId ?? "");
    if (isFor && message.sender_id !== this.userId) {
      this.cursors.want("delivered", where, seq, this.now + this.context.settings.deliveredDelay);
    }
  }

  #onEvent(frame: Frame, now: number, within = 0): void {
    const entry = asEntry(frame);
    const event = asEvent(frame);
    if (entry !== null) {
      this.sender.stream.entry(entry, now, within);
      if (isKnown(entry, "new_message") && isSeq(frame.read)) {
        // how far its sender has read: a receipt like any other
        const { sender_id: user_id, created_at: timestamp } = entry.message;
        this.#onEvent(
          { type: "read", conversation_id: entry.conversation_id, user_id, seq: frame.read, timestamp },
          now,
        );
      }
    } else if (asPack(frame, (each, late) => this.#onEvent(each, now, late))) {
      return;
    } else if (frame.type === "user_changed") {
      this.own.heard(frame);
    } else if (frame.type === "disconnect") {
      this.#onDisconnect(frame, now);
    } else if (event === null) {
      if ("connectionId" in frame) this.exchange.failSilent(now); // no event, but the gateway's own words
    } else if (isLive(event, "notification")) {
      this.#notifying.heard(event.notification);
    } else if (isLive(event, "presence") && !this.watcher.hear(event)) {
      return; // of two events the later counts
    } else if (!this.sender.stream.isOver(frame.conversation_id)) {
      this.context.emit({ type: "ephemeral", event });
    }
  }

  #onDisconnect(frame: Frame, now: number): void {
    const code = String(frame.code ?? "");
    if (frame.reconnect === false) {
      this.context.do({ type: "disconnect", reason: code });
      this.stop(new ParleyError(code || "disconnected", `The server ended the connection for good: ${code}`));
    } else {
      this.#drop(`The server ended the connection: ${code}`, now, code);
    }
  }

  /** Send whatever is due. */
  protected pump(now: number): void {
    this.now = now;
    if (!this.isServed) return;
    const { stream } = this.sender;
    const named = stream.catchup.request(now);
    if (named !== null) {
      const cursor = stream.catchup.cursor;
      this.exchange.transmit(
        {
          type: "sync",
          conversations: Object.fromEntries(named),
          ...given({ cursor: cursor ?? undefined, user: this.own.asks }),
        },
        now,
        (data, later) => this.#onSynced(data, later),
        (error, later) => stream.catchup.failed(error, later),
      );
    }
    if (stream.catchup.answered) {
      for (const part of [this.sender, this.cursors, this.changes, this.watcher, this.#notifying]) part.sendDue(now);
    }
    if (!this.#caughtUp && stream.catchup.idle) {
      this.#caughtUp = true;
      this.context.emit({ type: "connection", state: "online" });
    }
  }

  #onSynced(data: Frame, now: number): void {
    this.link.failures = 0; // this connection is of use
    this.#renewal.proven();
    this.sender.stream.synced(data, now);
    this.own.answered(data.user);
    const { broken } = this.sender.stream;
    if (broken === null) return;
    this.context.do({ type: "disconnect", reason: broken.code });
    this.stop(broken);
  }

  /** A ping that names the open conversation, or the one in which something happened last. */
  #beat(now: number): void {
    const where = this.openConversation ?? this.sender.stream.latest();
    const held = this.sender.stream.held(where);
    const what = where === null || held === null ? {} : { conversation_id: where, seq: held };
    this.exchange.transmit(
      { type: "ping", ...what },
      now,
      (data, later) => {
        if (data.behind === true && where !== null && held !== null) {
          this.sender.stream.heardOf(where, held + 1, later, isChannel(where) ? PACK_ON_ITS_WAY : 0);
        }
      },
      () => {},
    );
  }

  #connect(): void {
    this.link.state = "connecting";
    this.context.emit({ type: "connection", state: "connecting" });
    this.context.do({ type: "connect" });
  }

  #drop(reason: string, now: number, code?: string): void {
    this.context.do({ type: "disconnect", reason });
    this.lost(now, reason, code);
  }

  /** The connection lives on with a fresh token, where there is a source of them; else it ends with its own. */
  #onRefusedToken(code: string, now: number): void {
    if (code === "token_expired" && this.#renewal.beginLate()) {
      this.#forgetRequests();
    } else if (code === "token_expired" && this.#renewal.isLast) {
      this.context.do({ type: "disconnect", reason: code });
      this.stop(new ParleyError(code, "The token has ended, and there is no other"));
    } else {
      this.#endWithToken(now);
    }
  }

  /** A token has come after the last one's end. What was posted in between never came: as after a connect. */
  #resume(now: number): void {
    this.sender.stream.catchup.connected();
    this.own.connected();
    this.#notifying.connected(now);
  }

  #endWithToken(now: number): void {
    this.#drop("The token is no longer accepted", now, "token_expired");
  }

  #forgetConnection(): void {
    this.#renewal.forget();
    this.#forgetRequests();
  }

  /** Nothing that was under way is answered any more. */
  #forgetRequests(): void {
    const { stream, outbox } = this.sender;
    const parts = [this.exchange, outbox, this.cursors, this.changes, this.watcher, this.#notifying, stream];
    for (const part of parts) part.connectionLost();
  }
}
