/** The own `read` and `delivered` cursors: cumulative, so that only the farthest of each is ever sent. */

import type { ParleyError } from "../errors.js";
import { type Context, earliest } from "./context.js";
import type { SavedCursor } from "./effects.js";
import type { Exchange } from "./exchange.js";

type Kind = SavedCursor["kind"];
type Cursor = SavedCursor & {
  confirmed: number;
  due: number;
  tries: number;
  inFlight: boolean;
  waiting: { seq: number; call: number }[];
};

/** Each goes on until the server has it, over reconnects. `seq` is where it is wanted. */
export class Cursors {
  private readonly cursors = new Map<string, Cursor>();

  constructor(
    private readonly context: Context,
    private readonly exchange: Exchange,
  ) {}

  /** Move a cursor to `seq` at `due`. False: it is there already, as the server has confirmed. */
  want(kind: Kind, id: string, seq: number, due: number, call: number | null = null): boolean {
    const cursor = this.get(kind, id);
    const implied = kind === "delivered" && call === null && seq <= (this.read(id)?.confirmed ?? 0);
    if (implied || seq <= cursor.confirmed) return false;
    if (cursor.tries === 0) cursor.due = isOpen(cursor) ? Math.min(cursor.due, due) : due; // else it is backing off
    cursor.seq = Math.max(cursor.seq, seq);
    if (call !== null) cursor.waiting.push({ seq, call });
    this.context.unsaved.add("cursors");
    return true;
  }

  sendDue(now: number): void {
    for (const cursor of this.cursors.values()) {
      if (this.isImplied(cursor, this.read(cursor.conversation_id)?.confirmed)) {
        cursor.confirmed = cursor.seq;
        this.context.unsaved.add("cursors");
      }
      if (this.isSendable(cursor) && cursor.due <= now) this.send(cursor, now);
    }
  }

  nextDue(): number | null {
    return earliest(...[...this.cursors.values()].filter((each) => this.isSendable(each)).map((each) => each.due));
  }

  connectionLost(): void {
    for (const cursor of this.cursors.values()) cursor.inFlight = false;
  }

  stop(error: ParleyError): void {
    for (const cursor of this.cursors.values()) {
      for (const { call } of cursor.waiting) this.context.failed(call, error);
      cursor.waiting = [];
    }
  }

  /** What the server has not confirmed yet. */
  saved(): SavedCursor[] {
    return [...this.cursors.values()]
      .filter((cursor) => cursor.seq > cursor.confirmed)
      .map(({ kind, conversation_id, seq }) => ({ kind, conversation_id, seq }));
  }

  private send(cursor: Cursor, now: number): void {
    const { kind, conversation_id, seq } = cursor;
    cursor.inFlight = true;
    this.exchange.transmit(
      { type: kind, conversation_id, seq },
      now,
      () => {
        cursor.inFlight = false;
        cursor.tries = 0;
        cursor.confirmed = Math.max(cursor.confirmed, seq);
        this.context.unsaved.add("cursors");
        for (const { call } of this.taken(cursor, cursor.confirmed)) this.context.done(call);
      },
      (error, later) => {
        cursor.inFlight = false;
        if (error.retryable) {
          cursor.due = later + this.context.pause(error.retryAfterMs, cursor.tries++);
          return;
        }
        cursor.tries = 0;
        if (cursor.seq <= seq) cursor.seq = cursor.confirmed;
        this.context.unsaved.add("cursors");
        for (const { call } of this.taken(cursor, seq)) this.context.failed(call, error);
      },
    );
  }

  private taken(cursor: Cursor, upto: number): Cursor["waiting"] {
    const taken = cursor.waiting.filter((each) => each.seq <= upto);
    cursor.waiting = cursor.waiting.filter((each) => each.seq > upto);
    return taken;
  }

  /** Reading implies it: it waits for what becomes of a `read` that goes as far. */
  private isSendable(cursor: Cursor): boolean {
    return isOpen(cursor) && !this.isImplied(cursor, this.read(cursor.conversation_id)?.seq);
  }

  private isImplied({ kind, waiting, seq, confirmed }: Cursor, read = 0): boolean {
    return kind === "delivered" && waiting.length === 0 && seq > confirmed && seq <= read;
  }

  private read(id: string): Cursor | undefined {
    return this.cursors.get(`read ${id}`);
  }

  private get(kind: Kind, id: string): Cursor {
    const key = `${kind} ${id}`;
    let cursor = this.cursors.get(key);
    if (cursor === undefined) {
      cursor = { kind, conversation_id: id, seq: 0, confirmed: 0, due: 0, tries: 0, inFlight: false, waiting: [] };
      this.cursors.set(key, cursor);
    }
    return cursor;
  }
}

function isOpen(cursor: Cursor): boolean {
  return cursor.seq > cursor.confirmed && !cursor.inFlight;
}
