/** The connection as the core sees it: when to try again, and whether it still lives. */

import { type Context, earliest } from "./context.js";

/**
 * Reconnecting with jittered exponential backoff, and the heartbeat. The backoff starts over once the server has answered a
 * request, not with the handshake: a server that accepts and drops is not asked faster than one that refuses.
 */
export class Link {
  state: "idle" | "waiting" | "connecting" | "online" | "stopped" = "idle";
  failures = 0;
  #beats = 0;
  #retryAt = 0;
  #beatAt = 0;
  #pongBy: number | null = null;

  constructor(private readonly context: Context) {}

  connected(now: number): void {
    this.state = "online";
    this.#pongBy = null;
    this.#beats = 0;
    this.#planBeat(now);
  }

  /** Plan the next try. Returns the pause before it. */
  lost(now: number): number {
    const pause = this.context.backoff(this.failures++);
    this.state = "waiting";
    this.#retryAt = now + pause;
    return pause;
  }

  /** The machine has said that it is on a network again. */
  hurry(now: number): void {
    if (this.state === "waiting") this.#retryAt = now;
  }

  alive(): void {
    this.#pongBy = null;
  }

  shouldConnect(now: number): boolean {
    return this.state === "waiting" && now >= this.#retryAt;
  }

  shouldBeat(now: number): boolean {
    return this.state === "online" && now >= this.#beatAt;
  }

  /** A heartbeat goes out. Returns whether it is one that compares all conversations. */
  beat(now: number): boolean {
    this.expectPong(now);
    this.#planBeat(now);
    return ++this.#beats % this.context.settings.fullSyncEvery === 0;
  }

  expectPong(now: number): void {
    this.#pongBy ??= now + this.context.settings.pongTimeout;
  }

  isDead(now: number): boolean {
    return this.state === "online" && this.#pongBy !== null && now >= this.#pongBy;
  }

  nextDue(): number | null {
    if (this.state === "waiting") return this.#retryAt;
    return this.state === "online" ? earliest(this.#beatAt, this.#pongBy) : null;
  }

  #planBeat(now: number): void {
    this.#beatAt = now + this.context.settings.heartbeat * (1 - this.context.random() / 10);
  }
}
