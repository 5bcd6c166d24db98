/**
 * The user's own log: what they have changed of their own, on any device. It goes with the frames that sync conversations, in the same
 * form: each entry is passed on once, in order, without a gap. A server that does not know it answers without, and nothing is told.
 */

import type { UserChanged } from "../types.js";
import type { Context } from "./context.js";
import { asList, type Frame, isObject, isSeq } from "./parsing.js";

export class OwnLog {
  held: number | null = null;
  #due = false;

  constructor(
    private readonly context: Context,
    private readonly sync: () => void,
  ) {}

  /** What the next request names: the last entry held, 0 for none; undefined where there is nothing to ask. */
  get asks(): number | undefined {
    return this.#due ? (this.held ?? 0) : undefined;
  }

  connected(): void {
    this.#due = true;
  }

  /** Live. What comes before the first answer is in that. */
  heard(frame: Frame): void {
    if (this.held === null || !isSeq(frame.seq) || frame.seq <= this.held || this.#pass(frame)) return;
    this.#due = true;
    this.sync();
  }

  answered(said: unknown): void {
    this.#due = false;
    if (!isObject(said)) return;
    const { held } = this;
    if (held === null || said.reset === true) {
      this.#holds(isSeq(said.head) ? said.head : 0);
      this.context.emit({ type: "own", entry: { type: "user_reset" } });
      return;
    }
    for (const frame of asList(said.entries)) if (isObject(frame)) this.#pass(frame);
    if (said.has_more !== true || this.held === held) return;
    this.#due = true;
    this.sync();
  }

  #pass(frame: Frame): boolean {
    if (frame.seq !== (this.held ?? 0) + 1) return false;
    this.#holds(frame.seq);
    const { what, value } = frame;
    if (typeof what === "string" && isObject(value)) {
      this.context.emit({ type: "own", entry: frame as unknown as UserChanged });
    }
    return true;
  }

  #holds(seq: number): void {
    this.held = seq;
    this.context.unsaved.add("meta");
  }
}
