/**
 * Messages on their way: each is stored once, whatever happens to connections, replies and this process.
 *
 * Two things make a resend safe, and both stay as they are for as long as a message is tried: its `client_message_id` and its
 * `after`, the entry this client held before the first attempt. Before the first attempt `after` may still move forward, and does:
 * the nearer it is to the head, the less there is for the server to examine. Messages of one conversation go out one at a time, so
 * that they are stored in the order in which they were written.
 */

import { ParleyError } from "../errors.js";
import type { Message } from "../generated/frames.js";
import type { Ack, Failed } from "../types.js";
import { type Context, earliest } from "./context.js";
import type { Body, SavedMessage } from "./effects.js";

const REMEMBERED = 1_000;

/**
 * One unacknowledged message. fixed: an attempt may have been made, so `after` stays. request: the id of the attempt under way.
 * examining: the server wants what follows `after` to be looked at first. watched: this client has seen all that follows `after`
 * while it knew of the message. found: an entry with this id that reads differently (edited since, or the id was used twice).
 * error: it was refused, and is out of line until the user asks for it again.
 */
export type Pending = SavedMessage & {
  call: number | null;
  fixed: boolean;
  request: string | null;
  attempts: number;
  refusals: number;
  notBefore: number;
  examining: boolean;
  watched: boolean;
  found: number | null;
};

export class Outbox {
  readonly items: Pending[] = [];
  private order = 0;
  private readonly acked = new Map<string, { body: string; ack: Ack }>();

  constructor(private readonly context: Context) {}

  add(item: Pending): void {
    item.order = ++this.order;
    this.items.push(item);
    this.changed(item);
  }

  restore(saved: SavedMessage): void {
    this.items.push({ ...fresh(), ...saved, fixed: true, attempts: 1 });
    this.items.sort((a, b) => a.order - b.order);
    this.order = Math.max(this.order, saved.order);
  }

  get(id: string): Pending | undefined {
    return this.items.find((item) => item.client_message_id === id);
  }

  changed(item: Pending): void {
    this.context.messages.add(item.client_message_id);
  }

  /** The first message of each conversation. */
  heads(): Pending[] {
    const lanes = new Map<string, Pending>();
    for (const item of this.items) {
      const lane = item.conversation_id ?? `to:${item.to}`;
      if (item.error === undefined && !lanes.has(lane)) lanes.set(lane, item);
    }
    return [...lanes.values()].filter((item) => item.request === null && !item.examining);
  }

  nextDue(): number | null {
    return earliest(...this.heads().map((item) => item.notBefore));
  }

  /** Take it out of line. What is remembered makes the same id safe again. */
  settled(item: Pending, ack?: Ack): void {
    this.items.splice(this.items.indexOf(item), 1);
    this.changed(item);
    if (ack === undefined) return;
    this.acked.set(key(ack.conversation_id, item.client_message_id), { body: JSON.stringify(item.body), ack });
    const oldest = this.acked.keys().next();
    if (this.acked.size > REMEMBERED && !oldest.done) this.acked.delete(oldest.value);
  }

  /** The ack of an earlier message with this id. Throws where that one said something else. */
  known(item: Pending): Ack | null {
    const found = item.conversation_id && this.acked.get(key(item.conversation_id, item.client_message_id));
    if (!found) return null;
    if (found.body !== JSON.stringify(item.body)) {
      throw new ParleyError("conflict", "This client_message_id is another message's");
    }
    return found.ack;
  }

  /** The first attempt is about to be made: from here on `after` stays. */
  fix(item: Pending, held: number | null): void {
    if (item.fixed) return;
    item.after = held ?? item.after;
    item.watched = held !== null;
    item.fixed = true;
    this.changed(item);
  }

  /** Those that this entry of the log is, word for word. Where it reads differently, the server has to say. */
  storedAs(message: Message, user: string | null): Pending[] {
    if (message.client_message_id === undefined || message.sender_id !== user) return [];
    const mine = this.items.filter(
      (item) =>
        item.client_message_id === message.client_message_id && item.conversation_id === message.conversation_id,
    );
    for (const item of mine) {
      if (!same(item.body, message)) item.found = Math.min(message.seq, item.found ?? message.seq);
    }
    return mine.filter((item) => item.found === null);
  }

  /** Learn to which conversation the messages to a person belong, as far as that is known now. */
  address(conversationOf: (user: string) => string | null): void {
    for (const item of this.items) {
      if (item.conversation_id === null && item.to !== null) {
        item.conversation_id = conversationOf(item.to);
        this.changed(item);
      }
    }
  }

  /** Everything up to `upto` was looked at, and the message was not there: only now may `after` move. */
  examined(id: string, upto: number): void {
    for (const item of this.items) {
      if (!item.examining || item.conversation_id !== id) continue;
      // never past an entry with the message's own id: the server meets it, and judges
      const limit = item.found !== null && item.found > item.after ? Math.min(upto, item.found - 1) : upto;
      item.after = Math.max(item.after, limit);
      item.examining = false;
      this.changed(item);
    }
  }

  /** No answer comes any more: each attempt under way is made again, as it was. */
  connectionLost(): void {
    for (const item of this.items) {
      item.request = null;
      item.examining = false;
    }
  }

  saved(id: string): SavedMessage | null {
    const item = this.get(id);
    if (item === undefined) return null;
    const { client_message_id, to, conversation_id, body, after, order, created_at, error } = item;
    const kept = { client_message_id, to, conversation_id, body, after, order, created_at };
    return error === undefined ? kept : { ...kept, error };
  }
}

export function fresh() {
  return {
    call: null,
    fixed: false,
    request: null,
    attempts: 0,
    refusals: 0,
    notBefore: 0,
    examining: false,
    watched: false,
    found: null,
  };
}

/** As it goes out. `to` creates a private conversation where there is none yet, so it is kept where given. */
export function frameOf(item: SavedMessage): Record<string, unknown> {
  const where = item.to === null ? { conversation_id: item.conversation_id } : { to: item.to };
  return { type: "message", ...where, ...item.body, client_message_id: item.client_message_id, after: item.after };
}

type Stored = Pick<Ack, "message_id" | "conversation_id" | "seq" | "timestamp">;

/** A message of the outbox as it will read once it is stored. */
export function asStored(item: SavedMessage, ack: Stored, user: string): Message {
  const { content = "", message_type = "text", forward_of: _, ...rest } = item.body;
  return {
    id: ack.message_id,
    conversation_id: ack.conversation_id,
    seq: ack.seq,
    sender_id: user,
    content,
    type: message_type,
    created_at: ack.timestamp,
    client_message_id: item.client_message_id,
    ...rest,
  };
}

export function asFailed(error: ParleyError): Failed {
  return { code: error.code, error: error.reason, retryable: error.retryable };
}

function key(conversation: string, id: string): string {
  return `${conversation} ${id}`;
}

function said(
  { content, mentions, file_id, data, attachments }: Omit<Body, "content"> & { content?: string | null },
  type = "text",
): string {
  return JSON.stringify([content ?? "", type, file_id, mentions ?? [], data, attachments ?? []]);
}

/** What the server compares, too, when an id comes a second time. */
function same(body: Body, message: Message): boolean {
  if (message.reply_to !== body.reply_to) return false;
  if (body.forward_of !== undefined) return message.forwarded === true; // what it says is the other message's
  return said(message, message.type) === said(body, body.message_type);
}
