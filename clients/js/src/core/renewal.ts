/** A fresh token for a living connection: shortly before the one it came with ends, or once that has ended. */

import type { Context } from "./context.js";
import { earliest } from "./context.js";
import type { Exchange } from "./exchange.js";

/** How long a token is good for (null: not known), and whether there is another one after it. */
export type TokenLife = { left: number | null; renews: boolean };

const AHEAD = 60_000;
const AT_LEAST = 1_000; // a provider whose tokens live for seconds is not asked in a tight loop

/**
 * Two tries for each token: ahead of its end, and at it. Where the second fails, too, the connection ends. Of one that has no other
 * after it the server is asked as soon as it should have ended: if it still takes it, the own clock is wrong, and it is asked again,
 * at twice the pause each time.
 * `waiting`: the token has ended, and a fresh one is on its way; until the server has it, it serves nothing else.
 */
export class Renewal {
  waiting = false;
  #due: number | null = null;
  #end: number | null = null;
  #doubt = 0;
  #life: TokenLife | null = null;
  #asking = false;
  #unproven = false; // a token has come late, and nothing was served by it yet

  constructor(
    private readonly context: Context,
    private readonly exchange: Exchange,
    private readonly resume: (now: number) => void,
    private readonly giveUp: (now: number) => void,
  ) {}

  plan(now: number, life: TokenLife | null): void {
    this.#life = life;
    this.#due = this.#end = null;
    this.#doubt = AT_LEAST;
    if (life === null || life.left === null) return;
    const { left, renews } = life;
    if (renews && left <= 0) return; // the server has taken it: the own clock is wrong
    if (renews) this.#due = now + Math.max(left - Math.min(AHEAD, left / 2), AT_LEAST);
    this.#end = now + Math.max(left, AT_LEAST);
  }

  /** There is no token after this one, whose end is known. (Another one may be refused for a while only.) */
  get isLast(): boolean {
    return this.#life?.renews === false && this.#life.left !== null;
  }

  act(now: number): void {
    if (this.#due !== null && now >= this.#due) {
      this.#due = null;
      this.#ask();
    }
  }

  /** By the own clock. Whether it did by the server's, its next refusal says. */
  hasEnded(now: number): boolean {
    return !this.waiting && !this.isLast && this.#end !== null && now >= this.#end;
  }

  /** The last token has ended by the own clock: see what the server says. */
  isInDoubt(now: number): boolean {
    if (!this.isLast || this.#end === null || now < this.#end) return false;
    this.#end = now + this.#doubt;
    this.#doubt = Math.min(2 * this.#doubt, this.context.settings.heartbeat);
    return true;
  }

  /** The token has ended: ask for another. False where there is no source of them, or the last one was no good. */
  beginLate(): boolean {
    if (this.#life?.renews !== true || this.#unproven) return false;
    this.waiting = this.#unproven = true;
    this.#due = this.#end = null;
    this.#ask();
    return true;
  }

  /** The server has served something. */
  proven(): void {
    this.#unproven = false;
  }

  nextDue(): number | null {
    return earliest(this.#due, this.#end);
  }

  forget(): void {
    this.#due = this.#end = null;
    this.#life = null;
    this.waiting = this.#unproven = this.#asking = false;
  }

  /** There was no token to be had. */
  notHad(now: number): void {
    this.#asking = false;
    if (this.waiting) this.giveUp(now);
  }

  authenticate(token: string, left: number | null, now: number): void {
    this.#asking = false;
    this.exchange.transmit(
      { type: "auth", token },
      now,
      (_, later) => {
        const wasLate = this.waiting;
        this.waiting = false;
        this.plan(later, { left: left === null ? null : left - (later - now), renews: true });
        if (wasLate) this.resume(later);
      },
      (_, later) => {
        if (this.waiting) this.giveUp(later);
      },
      { aboutToken: true },
    );
  }

  #ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.context.do({ type: "renew" });
  }
}
