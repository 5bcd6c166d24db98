/** Who writes, and who is there. */

import type { CoreEvent } from "../core/effects.js";
import type { PresenceState } from "../types.js";
import type { Topics } from "./topics.js";

const LAPSE = 6_000; // clients repeat it every few seconds; the end of it can get lost
const NOBODY: readonly string[] = [];

export class Typing {
  private readonly timers = new Map<string, Map<string, ReturnType<typeof setTimeout>>>();
  private readonly shown = new Map<string, readonly string[]>();

  constructor(private readonly topics: Topics) {}

  get(id: string): readonly string[] {
    return this.shown.get(id) ?? NOBODY;
  }

  set(id: string, user: string, active: boolean): void {
    const timers = this.timers.get(id) ?? new Map<string, ReturnType<typeof setTimeout>>();
    const before = timers.get(user);
    if (before === undefined && !active) return;
    this.timers.set(id, timers);
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
    this.shown.set(id, [...timers.keys()].sort());
    this.topics.touch(`typing:${id}`);
  }

  clear(): void {
    for (const [id, timers] of this.timers) for (const user of [...timers.keys()]) this.set(id, user, false);
  }
}

type Answer = Extract<CoreEvent, { type: "presences" }>["users"][number];

export class Presence {
  private readonly users = new Map<string, NonNullable<PresenceState>>();

  constructor(private readonly topics: Topics) {}

  get(user: string): PresenceState {
    return this.users.get(user);
  }

  /** How a user is now. */
  set({ user_id, status, last_seen }: Answer): void {
    const before = this.users.get(user_id);
    if (before?.status === status && before.last_seen === last_seen) return;
    this.users.set(user_id, { status, last_seen });
    this.topics.touch(`presence:${user_id}`);
  }
}
