/**
 * The own `read` and `delivered` cursors: cumulative, so that only the farthest of each is ever sent. One that the application waits for is a
 * request of its own. All others are told without a reply: those of several conversations by one frame, and a `read` with the next
 * message of its conversation, where one comes soon enough. What is not confirmed is told again on the next connection.
 */

import { ParleyError } from "../errors.js";
import type { Failure } from "../generated/frames.js";
import { type Context, earliest } from "./context.js";
import type { SavedCursor } from "./effects.js";
import type { Exchange } from "./exchange.js";
import { given } from "./given.js";
import { asList, isObject, isSeq } from "./parsing.js";

type Kind = SavedCursor["kind"];
/** since: when there first was something to tell. told: how far, without a reply, over this connection. */
type Cursor = SavedCursor & {
  confirmed: number;
  told: number;
  due: number;
  since: number;
  tries: number;
  inFlight: boolean;
  waiting: { seq: number; call: number }[];
};
/** A cursor that is on its way, and how far. */
type Told = { cursor: Cursor; seq: number };

/** Cursors in a `receipts` frame. */
const MOST = 20;

/** Each goes on until the server has it, over reconnects. `seq` is where it is wanted. */
export class Cursors {
  readonly #cursors = new Map<string, Cursor>();
  #singly = false;

  constructor(
    private readonly context: Context,
    private readonly exchange: Exchange,
  ) {}

  /** Move a cursor to `seq` at `due`. False: it is there already, as the server has confirmed. */
  want(kind: Kind, id: string, seq: number, due: number, call: number | null = null): boolean {
    const cursor = this.#get(kind, id);
    const implied = kind === "delivered" && call === null && seq <= (this.#read(id)?.confirmed ?? 0);
    if (implied || seq <= cursor.confirmed) return false;
    if (!isOpen(cursor)) cursor.since = due;
    if (cursor.tries === 0) cursor.due = isOpen(cursor) ? Math.min(cursor.due, due) : due; // else it is backing off
    cursor.seq = Math.max(cursor.seq, seq);
    if (call !== null) cursor.waiting.push({ seq, call });
    this.context.unsaved.add("cursors");
    return true;
  }

  /** A message is being written there: what was read may wait for it, for a while, or has to wait no more. */
  typing(id: string, active: boolean, now: number): void {
    const cursor = this.#read(id);
    if (cursor === undefined || !isOpen(cursor) || cursor.tries > 0) return;
    const { readDelay, readLimit } = this.context.settings;
    cursor.due = Math.min(cursor.since - readDelay + readLimit, now + (active ? readLimit : readDelay));
  }

  /** Whatever waits is due now. */
  hurry(now: number): void {
    for (const cursor of this.#cursors.values()) {
      cursor.due = Math.min(cursor.due, now);
    }
  }

  /** How far was read, for a message of this conversation that goes out now. Unless its ack says so, too, it is told by itself. */
  along(id: string | null, now: number): number | undefined {
    const cursor = this.#read(id ?? "");
    if (cursor === undefined || !isOpen(cursor)) return undefined;
    cursor.due = now + this.context.settings.readDelay;
    return cursor.seq;
  }

  /** A message was acked. A server that says nothing of `read` does not know it, or could not store it. */
  stored(id: string, seq: unknown, now: number): void {
    const cursor = this.#read(id);
    if (cursor === undefined) return;
    if (isSeq(seq)) this.#confirm({ cursor, seq });
    else cursor.due = Math.min(cursor.due, now);
  }

  sendDue(now: number): void {
    const ready = [...this.#cursors.values()].filter((cursor) => {
      if (this.#isImplied(cursor, this.#read(cursor.conversation_id)?.confirmed))
        this.#confirm({ cursor, seq: cursor.seq });
      return this.#isSendable(cursor);
    });
    const isAlone = (cursor: Cursor) => this.#singly || cursor.waiting.length > 0;
    for (const cursor of ready) if (isAlone(cursor) && cursor.due <= now) this.#send([cursor], now);
    const silent = ready.filter((cursor) => !isAlone(cursor));
    if (silent.every((cursor) => cursor.due > now)) return;
    // what would be due soon goes along
    const soon = silent.filter((cursor) => cursor.due <= now + this.context.settings.deliveredDelay);
    while (soon.length > 0) this.#send(soon.splice(0, MOST), now, false);
  }

  nextDue(): number | null {
    return earliest(...[...this.#cursors.values()].filter((each) => this.#isSendable(each)).map((each) => each.due));
  }

  connectionLost(): void {
    this.#singly = false;
    for (const cursor of this.#cursors.values()) {
      cursor.inFlight = false;
      cursor.told = 0;
    }
  }

  stop(error: ParleyError): void {
    for (const cursor of this.#cursors.values()) {
      for (const { call } of cursor.waiting) this.context.failed(call, error);
      cursor.waiting = [];
    }
  }

  /** What the server has not confirmed yet. */
  saved(): SavedCursor[] {
    return [...this.#cursors.values()]
      .filter((cursor) => cursor.seq > cursor.confirmed)
      .map(({ kind, conversation_id, seq }) => ({ kind, conversation_id, seq }));
  }

  #send(cursors: Cursor[], now: number, reply?: false): void {
    const told = cursors.map((cursor) => ({ cursor, seq: cursor.seq }));
    const named: Record<Kind, Record<string, number>> = { read: {}, delivered: {} };
    for (const { cursor, seq } of told) {
      named[cursor.kind][cursor.conversation_id] = seq;
      if (reply === false) cursor.told = seq;
      else cursor.inFlight = true;
    }
    const { kind, conversation_id, seq } = cursors[0] as Cursor;
    const frame = told.length > 1 ? { type: "receipts", ...named } : { type: kind, conversation_id, seq };
    this.exchange.transmit(
      { ...frame, ...given({ reply }) },
      now,
      (data, later) => {
        const refused = asList(data.refused).filter(isObject);
        for (const each of told) {
          const { kind, conversation_id } = each.cursor;
          const refusal = refused.find((one) => one.type === kind && one.conversation_id === conversation_id);
          if (refusal === undefined) this.#confirm(each);
          else this.#refused(each, ParleyError.fromWire(refusal as Partial<Failure>), later);
        }
      },
      (error, later) => {
        if (error.code === "unknown_type") this.#singly = true; // a server of before there were such frames
        for (const each of told) this.#refused(each, error, later);
      },
    );
  }

  #confirm({ cursor, seq }: Told): void {
    cursor.inFlight = false;
    cursor.tries = 0;
    cursor.confirmed = Math.max(cursor.confirmed, seq);
    this.context.unsaved.add("cursors");
    for (const { call } of this.#taken(cursor, cursor.confirmed)) this.context.done(call);
  }

  #refused({ cursor, seq }: Told, error: ParleyError, now: number): void {
    cursor.inFlight = false;
    cursor.told = 0;
    if (error.code === "unknown_type") return;
    if (error.retryable) {
      cursor.due = now + this.context.pause(error.retryAfterMs, cursor.tries++);
      return;
    }
    cursor.tries = 0;
    if (cursor.seq <= seq) cursor.seq = cursor.confirmed;
    this.context.unsaved.add("cursors");
    for (const { call } of this.#taken(cursor, seq)) this.context.failed(call, error);
  }

  #taken(cursor: Cursor, upto: number): Cursor["waiting"] {
    const taken = cursor.waiting.filter((each) => each.seq <= upto);
    cursor.waiting = cursor.waiting.filter((each) => each.seq > upto);
    return taken;
  }

  /** Reading implies it: it waits for what becomes of a `read` that goes as far, and goes out soon. */
  #isSendable(cursor: Cursor): boolean {
    const read = this.#read(cursor.conversation_id);
    if (!isOpen(cursor) || !this.#isImplied(cursor, read?.seq)) return isOpen(cursor);
    return read !== undefined && isOpen(read) && read.due > cursor.due + this.context.settings.readDelay;
  }

  #isImplied({ kind, waiting, seq, confirmed }: Cursor, read = 0): boolean {
    return kind === "delivered" && waiting.length === 0 && seq > confirmed && seq <= read;
  }

  #read(id: string): Cursor | undefined {
    return this.#cursors.get(`read ${id}`);
  }

  #get(kind: Kind, id: string): Cursor {
    const key = `${kind} ${id}`;
    let cursor = this.#cursors.get(key);
    if (cursor === undefined) {
      const nothing = { seq: 0, confirmed: 0, told: 0, due: 0, since: 0, tries: 0 };
      cursor = { kind, conversation_id: id, ...nothing, inFlight: false, waiting: [] };
      this.#cursors.set(key, cursor);
    }
    return cursor;
  }
}

function isOpen({ seq, confirmed, told, waiting, inFlight }: Cursor): boolean {
  return seq > (waiting.length > 0 ? confirmed : Math.max(confirmed, told)) && !inFlight;
}
