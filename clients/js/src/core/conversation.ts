/** One conversation's log as this client holds it: each entry once, in order, without a gap. */

import type { Entry } from "../types.js";
import { adds } from "./parsing.js";

// Entries that came too early. One that comes farther ahead than this is left to the next sync.
const MAX_EARLY = 1_000;

/** What is written there goes out in packs, to very many. */
export function isChannel(conversationId: string): boolean {
  return conversationId.startsWith("channel:");
}

/** Only groups and channels have members that come and go: where such a conversation starts, the server has to say. */
export function isGroup(conversationId: string): boolean {
  return conversationId.startsWith("group:") || isChannel(conversationId);
}

/**
 * held: every entry from the start to here was passed on; null until it is decided where to start.
 * head: the highest entry known to exist. examine: where the search for own messages stands, while there is one.
 * fruitless: syncs in a row that asked for this conversation and moved nothing.
 * refused: the own user is no member: nothing is passed on until they are one again.
 * ended: the last entry that removed the own user; 0 for none.
 * told: that the membership is over was passed on, and nothing since.
 */
export class Conversation {
  held: number | null = null;
  head = 0;
  examine: number | null = null;
  fruitless = 0;
  refused = false;
  ended = 0;
  told = false;
  order = 0;
  private early = new Map<number, Entry>();

  constructor(
    readonly id: string,
    private readonly changed: (id: string) => void,
  ) {}

  /** Begin behind entry `start`: what comes after it is passed on, what comes before is history. */
  place(start: number): void {
    this.held = start;
    this.changed(this.id);
    this.#keepEarly(start);
  }

  /** Go on with the entry that made the own user a member again: nothing before it comes twice, or late. */
  rejoin(joined: number): void {
    this.refused = false;
    if (this.held === null || joined - 1 > this.held) this.place(joined - 1);
    this.changed(this.id);
  }

  end(seq: number): void {
    this.refused = true;
    this.ended = seq;
    this.changed(this.id);
  }

  /** The first entry among those that came early that makes the user a member. */
  addedAgain(user: string | null): number | null {
    const seqs = [...this.early.values()].filter((entry) => adds(entry, user)).map((entry) => entry.seq);
    return seqs.length > 0 ? Math.min(...seqs) : null;
  }

  /** Entries of it can't be passed on before the server has said since when the own user is a member. */
  get homeless(): boolean {
    return isGroup(this.id) && (this.held === null || this.refused);
  }

  /** The lowest entry that came before it was decided where to start. */
  get firstHeard(): number | null {
    return this.early.size > 0 ? Math.min(...this.early.keys()) : null;
  }

  get behind(): boolean {
    return this.held !== null && this.head > this.held;
  }

  /** Something of it is to be asked for. */
  get lags(): boolean {
    return !this.refused && (this.behind || this.examine !== null);
  }

  /** The entry after which the next answer should begin. */
  get askFrom(): number | null {
    return this.examine ?? this.held;
  }

  heardOf(seq: number): void {
    this.head = Math.max(this.head, seq);
  }

  /** Keep an entry until its turn comes. One that was here before, or is too early by far, is left. */
  offer(entry: Entry): void {
    this.heardOf(entry.seq);
    const nearest = this.held !== null && entry.seq === this.held + 1;
    if ((this.held === null || entry.seq > this.held) && (nearest || this.early.size < MAX_EARLY)) {
      if (!this.early.has(entry.seq)) this.early.set(entry.seq, entry);
    }
  }

  /** The entry whose turn it is, if it is here. It counts as passed on. */
  nextEntry(): Entry | null {
    if (this.held === null) return null;
    const entry = this.early.get(this.held + 1);
    if (entry === undefined) return null;
    this.early.delete(++this.held);
    this.told = false;
    this.changed(this.id);
    return entry;
  }

  dropEarly(): void {
    this.early.clear();
  }

  #keepEarly(start: number): void {
    for (const seq of this.early.keys()) if (seq <= start) this.early.delete(seq);
  }
}
