/** Who writes, and who is there. */

import type { CoreEvent } from "../core/effects.js";
import type { ParleyError } from "../errors.js";
import type { Session } from "../session.js";
import type { PresenceState } from "../types.js";
import type { Topics } from "./topics.js";

const LAPSE = 6_000; // clients repeat it every few seconds; the end of it can get lost
const NOBODY: readonly string[] = [];

export class Typing {
  readonly #timers = new Map<string, Map<string, ReturnType<typeof setTimeout>>>();
  readonly #shown = new Map<string, readonly string[]>();

  constructor(private readonly topics: Topics) {}

  get(id: string): readonly string[] {
    return this.#shown.get(id) ?? NOBODY;
  }

  set(id: string, user: string, active: boolean): void {
    const timers = this.#timers.get(id) ?? new Map<string, ReturnType<typeof setTimeout>>();
    const before = timers.get(user);
    if (before === undefined && !active) return;
    this.#timers.set(id, timers);
    clearTimeout(before);
    timers.delete(user);
    if (active) {
      const lapse = setTimeout(() => {
        this.set(id, user, false);
        this.topics.flush();
      }, LAPSE);
      timers.set(user, lapse);
    }
    if ((before !== undefined) === active) return;
    this.#shown.set(id, [...timers.keys()].sort());
    this.topics.touch(`typing:${id}`);
  }

  clear(): void {
    for (const [id, timers] of this.#timers) for (const user of [...timers.keys()]) this.set(id, user, false);
  }
}

const EVERY = 3_000;

/** Says that the own user types: every few seconds, and when it ends. */
export class OwnTyping {
  readonly #said = new Map<string, number>();
  #notBefore = 0;

  constructor(private readonly session: Session) {}

  set(conversation_id: string, active: boolean): void {
    const { core, runner } = this.session;
    const now = runner.now();
    const last = this.#said.get(conversation_id);
    const isNews = active ? last === undefined || now >= last + EVERY : last !== undefined;
    if (!core.isServed || now < this.#notBefore || !isNews) return;
    if (active) this.#said.set(conversation_id, now);
    else this.#said.delete(conversation_id);
    const asked = this.session.call((at) => core.request({ type: "typing", conversation_id, active }, at));
    asked.catch((error: ParleyError) => {
      if (error.code === "rate_limited") this.#notBefore = runner.now() + (error.retryAfterMs ?? EVERY);
    });
  }

  clear(): void {
    this.#said.clear();
  }
}

type Answer = Extract<CoreEvent, { type: "presences" }>["users"][number];

export class Presence {
  readonly #users = new Map<string, NonNullable<PresenceState>>();

  constructor(private readonly topics: Topics) {}

  get(user: string): PresenceState {
    return this.#users.get(user);
  }

  /** How a user is now. */
  set({ user_id, status, last_seen }: Answer): void {
    const before = this.#users.get(user_id);
    if (before?.status === status && before.last_seen === last_seen) return;
    this.#users.set(user_id, { status, last_seen });
    this.topics.touch(`presence:${user_id}`);
  }
}
