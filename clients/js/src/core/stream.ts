/** The logs of all conversations on their way to the application: live events and syncs become one ordered stream. */

import { ParleyError } from "../errors.js";
import type { Entry } from "../types.js";
import { Catchup } from "./catchup.js";
import type { Context } from "./context.js";
import { Conversation, isGroup } from "./conversation.js";
import { adds, asPage, type Block, type Frame, removes } from "./parsing.js";

/** Who looks for its own messages among the entries: the outbox's side. */
export type Watcher = {
  readonly userId: string | null;
  /** The entry is in the log. It may come more than once, and in any order. */
  saw(entry: Entry): void;
  /** Every entry up to this one was shown to `saw`, as `examine` asked; 0 where that was not possible. */
  examined(conversationId: string, upto: number): void;
  /** The entry is passed on now. */
  passed(entry: Entry): void;
};

/**
 * Where a conversation starts depends on when it is first heard of.
 *
 * One that the first round of all finds starts at its head, or at what came live before, if that is lower. One that appears later
 * starts at its beginning: all of it is new. A group begins for a user with the entry that made them a member; where that is not
 * known, what came of the group waits for a round that says it. When an entry removes the own user the group is over, and it goes on
 * the same way once they are a member again.
 */
export class Stream {
  /** By activity, the latest last. */
  readonly conversations = new Map<string, Conversation>();
  readonly catchup: Catchup;
  broken: ParleyError | null = null;
  #order = 0;

  constructor(
    private readonly context: Context,
    private readonly watcher: Watcher,
  ) {
    this.catchup = new Catchup(context, this.conversations);
  }

  held(id: string | null): number | null {
    return this.conversations.get(id ?? "")?.held ?? null;
  }

  /** Whether the own user is out of it. A receipt may come all the same, and is not passed on. */
  isOver(id: unknown): boolean {
    return typeof id === "string" && this.conversations.get(id)?.refused === true;
  }

  /** The conversation, known or new. A group never starts at its beginning: that may be long before the own user came. */
  conversation(id: string, fromStart = this.catchup.complete): Conversation {
    let conversation = this.conversations.get(id);
    if (conversation === undefined) {
      conversation = new Conversation(id, (changed) => this.context.conversations.add(changed));
      conversation.order = ++this.#order;
      this.conversations.set(id, conversation);
      if (fromStart && !isGroup(id)) conversation.place(0);
    }
    return conversation;
  }

  restore(saved: { id: string; held: number | null; over: boolean; ended: number; order: number }): void {
    const conversation = this.conversation(saved.id, false);
    conversation.held = saved.held;
    conversation.head = saved.held ?? 0;
    if (saved.over) {
      conversation.end(saved.ended);
      conversation.told = true;
    }
    conversation.order = saved.order;
    this.#order = Math.max(this.#order, saved.order);
  }

  /**
   * An entry as it is written, of others or our own. What is missing before it is asked for a little later.
   * `within` (ms): it came in a pack, and so many clients lack what is before it that they are to spread out.
   */
  entry(entry: Entry, now: number, within = 0): void {
    const conversation = this.conversation(entry.conversation_id);
    const wasOver = conversation.refused;
    this.#accept(conversation, entry);
    if (!wasOver) this.#release(conversation);
    if (conversation.homeless && entry.seq > (conversation.held ?? 0)) this.catchup.begin();
    else if (conversation.behind) this.catchup.lacking(conversation.id, now + this.context.settings.gapDelay, within);
  }

  /** An entry exists, and is not here. `within` (ms): it is about to come, as a rule. */
  heardOf(id: string, seq: number, now: number, within = 0): void {
    const conversation = this.conversation(id);
    conversation.heardOf(seq);
    if (conversation.homeless) this.catchup.begin();
    else this.catchup.lacking(id, now + within * this.context.random());
  }

  /** The conversation in which something happened last, of those that go on. */
  latest(): string | null {
    let latest: string | null = null;
    for (const each of this.conversations.values()) if (!each.refused && each.held !== null) latest = each.id;
    return latest;
  }

  /** Show the watcher everything behind `after` once more, history or not. */
  examine(id: string, after: number, now: number): void {
    const conversation = this.conversation(id);
    conversation.examine = after;
    if (conversation.refused && conversation.homeless) {
      this.catchup.begin(); // the server takes the own user for a member: since when?
    } else {
      conversation.refused = false;
      this.catchup.lagging(id, now);
    }
  }

  synced(data: Frame, now: number): void {
    const page = asPage(data);
    const asked = this.catchup.asked ?? new Map<string, number>();
    const moved = new Set<string>();
    for (const block of page.blocks) if (this.#workIn(block, asked.get(block.id))) moved.add(block.id);
    for (const id of page.refused) this.#refused(id, asked.get(id));
    this.catchup.replied(page, moved, now);
    if (this.catchup.complete) this.#placeRest(now);
    const states = page.blocks.filter((block) => block.unread !== undefined);
    if (states.length === 0) return;
    this.context.emit({
      type: "synced",
      conversations: states.map((block) => ({
        id: block.id,
        head: block.head,
        read_seq: block.readSeq ?? 0,
        unread: block.unread ?? 0,
        joined_seq: block.joined,
      })),
    });
  }

  connectionLost(): void {
    this.catchup.asked = null;
    for (const conversation of this.conversations.values()) conversation.examine = null;
  }

  #accept(conversation: Conversation, entry: Entry): void {
    this.watcher.saw(entry);
    if (entry.seq > (conversation.held ?? 0)) {
      const begins = entry.seq === 1 && conversation.held === null;
      if (conversation.homeless && (begins || adds(entry, this.watcher.userId))) conversation.rejoin(entry.seq);
      conversation.refused &&= conversation.homeless;
    }
    this.conversations.delete(conversation.id);
    this.conversations.set(conversation.id, conversation);
    conversation.order = ++this.#order;
    conversation.offer(entry);
    this.#drain(conversation);
  }

  /** Pass on what is next. An entry that removes the own user is the last, unless they were added again. */
  #drain(conversation: Conversation): void {
    while (!conversation.refused) {
      const entry = conversation.nextEntry();
      if (entry === null) return;
      this.watcher.passed(entry);
      this.context.emit({ type: "entry", entry });
      if (removes(entry, this.watcher.userId)) {
        conversation.end(entry.seq);
        this.#lost(conversation);
      }
    }
  }

  /** Say that the membership is over, once. */
  #lost(conversation: Conversation): void {
    conversation.refused = true;
    this.context.conversations.add(conversation.id);
    if (!conversation.told) {
      conversation.told = true;
      this.context.emit({ type: "membership_lost", conversation_id: conversation.id });
    }
    const again = conversation.addedAgain(this.watcher.userId);
    if (again !== null) conversation.rejoin(again);
  }

  /** Returns whether this client got farther in this conversation. */
  #workIn(block: Block, asked: number | undefined): boolean {
    const conversation = this.conversation(block.id);
    if (conversation.refused && block.joined > 0 && block.joined <= conversation.ended) {
      return false; // said before the removal that has come meanwhile
    }
    conversation.heardOf(block.head);
    if (asked !== undefined && block.head < asked) {
      const reason = `${block.id} ends at ${block.head} on the server, but ${asked} was there: it was reset`;
      this.broken = new ParleyError("log_lost", reason);
    }
    const { held, examine } = conversation;
    this.#admit(conversation, block);
    const examined = this.#examined(conversation, block, asked);
    for (const entry of block.entries) this.#accept(conversation, entry);
    if (conversation.refused && block.joined > conversation.ended) {
      conversation.rejoin(block.joined); // removed and added again, in this block
      this.#drain(conversation);
    }
    const moved = held !== conversation.held || examine !== conversation.examine;
    if (examined !== null && !block.hasMore && examined >= block.head) {
      conversation.examine = null;
      this.watcher.examined(conversation.id, examined);
    }
    this.#release(conversation);
    return moved;
  }

  /** The own user is a member: the conversation starts, or goes on after a time without them. */
  #admit(conversation: Conversation, block: Block): void {
    const { joined } = block;
    const held = conversation.held;
    const first = block.entries[0];
    const withheld = first !== undefined && held !== null && held + 1 < joined && joined <= first.seq;
    if (held === null) {
      const heard = conversation.firstHeard;
      const start = this.catchup.complete ? Math.max(0, joined - 1) : block.head;
      conversation.place(Math.max(joined - 1, heard === null ? start : Math.min(start, heard - 1)));
    } else if (conversation.refused || withheld) {
      conversation.rejoin(joined);
    } else {
      return;
    }
    this.#drain(conversation);
  }

  /** How far the search for own messages is, with what this block has; null where it is not about one. */
  #examined(conversation: Conversation, block: Block, asked: number | undefined): number | null {
    if (asked === undefined || asked !== conversation.examine) return null;
    let upto = asked;
    for (const entry of block.entries) {
      // what is before the own joining is none of ours
      if (entry.seq === upto + 1 || entry.seq === block.joined) upto = Math.max(upto, entry.seq);
    }
    conversation.examine = upto;
    return upto;
  }

  #refused(id: string, asked: number | undefined): void {
    const conversation = this.conversations.get(id);
    if (conversation === undefined || conversation.refused) return;
    if (asked !== undefined && asked !== conversation.askFrom) {
      this.catchup.begin(); // more has come since it was asked: the refusal may be older than that
      return;
    }
    this.#lost(conversation);
    this.#drain(conversation);
    this.#release(conversation);
    if (!conversation.refused) this.catchup.begin();
  }

  /** There is nothing to look through any more where the own user is no member. */
  #release(conversation: Conversation): void {
    if (conversation.refused && conversation.examine !== null) {
      conversation.examine = null;
      this.watcher.examined(conversation.id, 0);
    }
  }

  /** What the first round did not mention has come into being since: nothing of it is history. */
  #placeRest(now: number): void {
    for (const conversation of this.conversations.values()) {
      if (conversation.homeless) {
        if (this.catchup.compared) {
          conversation.dropEarly(); // no round has mentioned it: it is not the own user's
          this.#release(conversation);
        }
      } else if (conversation.held === null) {
        conversation.place(0);
        this.#drain(conversation);
        this.catchup.lagging(conversation.id, now);
      }
    }
  }
}
