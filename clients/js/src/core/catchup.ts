/**
 * Which conversations to ask the server for, and when: rounds over all of them, and single ones that lag.
 *
 * A round compares all conversations: those named in the request are answered with what follows, for the others the reply has the
 * head, which is enough to see that one lags. A reply is bounded, so a round may take several. The first names what was active last,
 * the others go on behind the cursor of the reply before and name what turned out to lag. Whatever came by in none of them is named
 * at the end: it may be over. One request is under way at a time.
 */

import type { ParleyError } from "../errors.js";
import { type Context, earliest } from "./context.js";
import type { Conversation } from "./conversation.js";
import type { Page } from "./parsing.js";
import { MAX_NAMED } from "./settings.js";

// How much text one request may name: a frame has 32 KB at most. A number takes quotes, colon, comma, and a seq.
const MAX_NAMED_TEXT = 28_000;
const NUMBER_TEXT = 22;

/** `complete`: a round was completed, on this connection or an earlier one. `answered`: the server has answered on this one. */
export class Catchup {
  complete = false;
  answered = false;
  asked: Map<string, number> | null = null;
  #round = false;
  #outdated = false; // the request under way is older than the round
  #behindCursor: string | null = null;
  #through = false; // all heads have come by
  readonly #seen = new Set<string>();
  readonly #due = new Map<string, number>();
  readonly #spread = new Set<string>();
  #notBefore = 0;
  #failures = 0;

  constructor(
    private readonly context: Context,
    private readonly conversations: Map<string, Conversation>,
  ) {}

  connected(): void {
    this.asked = null;
    this.#failures = this.#notBefore = 0;
    this.answered = false;
    this.begin();
  }

  /** All conversations were compared, and nothing has asked for that again since. */
  get compared(): boolean {
    return this.complete && !this.#round;
  }

  /** Compare all conversations, from the start. */
  begin(): void {
    this.#round = true;
    this.#outdated = this.asked !== null;
    this.#behindCursor = null;
    this.#through = false;
    this.#seen.clear();
    this.#spread.clear();
  }

  /** Ask for this conversation at `at`, if it still lags then. */
  lagging(id: string, at: number): void {
    this.#due.set(id, Math.min(at, this.#due.get(id) ?? at));
    this.#spread.delete(id);
  }

  /**
   * The same, of a gap before what has come. `within`: so many clients have it that each waits for a time of its own, up to that.
   * The first of these times counts, and what comes meanwhile makes it no nearer.
   */
  lacking(id: string, at: number, within = 0): void {
    if (this.#spread.has(id)) return;
    this.lagging(id, at + within * this.context.random());
    if (within > 0) this.#spread.add(id);
  }

  /** Behind which the heads are to be that the request under way asks for; null for all of them. */
  get cursor(): string | null {
    return this.#round ? this.#behindCursor : null;
  }

  /** What to ask now: conversation → the entry after which to answer. It counts as asked, behind `cursor`. */
  request(now: number): Map<string, number> | null {
    if (this.asked !== null || now < this.#notBefore) return null;
    for (const id of this.#due.keys()) {
      if (!this.#get(id).lags) {
        this.#due.delete(id);
        this.#spread.delete(id);
      }
    }
    const wanted = [...this.#due].filter(([, at]) => at <= now).map(([id]) => id);
    for (const id of wanted) this.#spread.delete(id);
    if (wanted.length === 0 && !this.#round) return null;
    if (this.#round && (this.#behindCursor === null || this.#through)) {
      const named = new Set(wanted);
      const rest = [...this.conversations.keys()].reverse().filter((id) => !named.has(id));
      wanted.push(...rest.filter((id) => !this.#seen.has(id)));
      if (!this.#through) wanted.push(...rest.filter((id) => this.#seen.has(id)));
    }
    this.asked = this.#named(wanted);
    return this.asked;
  }

  /** A reply was worked in; `moved` are the conversations in which that brought this client farther. */
  replied(page: Page, moved: Set<string>, now: number): void {
    const named = this.asked ?? new Map<string, number>();
    this.asked = null;
    this.#failures = 0;
    this.answered = true;
    const answered = new Set([...page.blocks.map((block) => block.id), ...page.refused]);
    if (!page.hasMore) for (const id of named.keys()) answered.add(id);
    this.#turnPage(page, answered, moved.size > 0);
    for (const id of new Set([...page.blocks.map((block) => block.id), ...named.keys()])) {
      const conversation = this.#get(id);
      this.#reschedule(conversation, !moved.has(id) && conversation.askFrom === named.get(id), now);
    }
  }

  /** No answer, or a refusal. Sending goes on meanwhile: it does not depend on this. */
  failed(error: ParleyError, now: number): void {
    if (!error.retryable && this.cursor !== null) {
      this.begin(); // this server, or its next version, does not know the cursor
      this.#outdated = false;
    }
    this.asked = null;
    this.answered = true;
    this.#notBefore = now + this.context.pause(error.retryAfterMs, this.#failures++);
  }

  /** Nothing is left to ask. */
  get idle(): boolean {
    return this.compared && this.asked === null && ![...this.#due.keys()].some((id) => this.#get(id).lags);
  }

  nextDue(): number | null {
    if (this.asked !== null) return null;
    if (this.#round) return this.#notBefore;
    const first = earliest(...this.#due.values());
    return first === null ? null : Math.max(first, this.#notBefore);
  }

  #turnPage(page: Page, answered: Set<string>, moved: boolean): void {
    if (!this.#round || this.#outdated) {
      this.#outdated = false;
      return;
    }
    const farther = moved || [...answered].some((id) => !this.#seen.has(id));
    for (const id of answered) this.#seen.add(id);
    if (page.nextCursor !== null && page.nextCursor !== this.#behindCursor && !this.#through) {
      this.#behindCursor = page.nextCursor;
      return;
    }
    this.#through ||= !page.hasMore || this.#behindCursor !== null;
    const unheard = [...this.conversations.values()].some((each) => this.#isUnheard(each));
    if (!(farther && (page.hasMore || unheard))) {
      this.#round = false;
      if (!this.complete) this.context.unsaved.add("meta");
      this.complete = true;
    }
  }

  /** Nothing has come of it in this round, and it can be named. */
  #isUnheard(conversation: Conversation): boolean {
    return conversation.askFrom !== null && !conversation.refused && !this.#seen.has(conversation.id);
  }

  #reschedule(conversation: Conversation, fruitless: boolean, now: number): void {
    if (!conversation.lags) {
      conversation.fruitless = 0;
    } else if (this.#spread.has(conversation.id)) {
      // its own time comes
    } else if (fruitless) {
      this.#due.set(conversation.id, now + this.context.backoff(conversation.fruitless++)); // at once would not help
    } else {
      conversation.fruitless = 0;
      this.#due.set(conversation.id, now);
    }
  }

  #named(wanted: string[]): Map<string, number> {
    const named = new Map<string, number>();
    let text = 0;
    for (const id of wanted) {
      const conversation = this.#get(id);
      const start = conversation.askFrom;
      if (start === null || conversation.refused) continue;
      text += new TextEncoder().encode(id).length + NUMBER_TEXT;
      if (named.size === MAX_NAMED || text > MAX_NAMED_TEXT) break;
      named.set(id, start);
    }
    return named;
  }

  #get(id: string): Conversation {
    return this.conversations.get(id) as Conversation;
  }
}
