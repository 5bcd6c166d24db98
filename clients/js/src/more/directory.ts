/** What users are called, and what they look like: asked for together, and kept. */

import type { UserUpdatedEvent } from "../generated/frames.js";
import type { LiveEvent } from "../types.js";
import { findUsers, getUsers, MOST_IDS, type Telling, type User } from "./people.js";

export type DirectoryOptions = {
  /** A record that is older (ms) is asked for again when it is next looked at; half an hour by default. */
  freshFor?: number;
  now?: () => number;
};

/** Those that are looked at within this time (ms) are asked for by one request. */
const TOGETHER = 20;
/** After a request that failed (ms). */
const PAUSE = 5_000;

/**
 * `get` says at once what is known of a user, and asks for the rest: `subscribe` tells when there is more. A record stays the same
 * object until another version of it has come. What the client hears of records and their versions is taken from it: a record that
 * changes comes by itself for whose presence is watched, and with the inbox's next refresh for who is in it.
 */
export class Directory {
  readonly #records = new Map<string, { user: User | null; at: number }>();
  readonly #wanted = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #freshFor: number;
  readonly #now: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #notBefore = 0;

  readonly #stops: ((() => void) | undefined)[];

  constructor(
    private readonly client: Telling,
    { freshFor = 1_800_000, now = Date.now }: DirectoryOptions = {},
  ) {
    this.#freshFor = freshFor;
    this.#now = now;
    this.#stops = [
      client.on?.("event", (event) => this.#live(event)),
      client.on?.("versions", (versions) => {
        for (const [id, version] of Object.entries(versions)) this.heard(id, version);
      }),
    ];
  }

  /** What is known of a user; null: nothing is, or one may not see them; undefined: that is asked for now. */
  get(id: string): User | null | undefined {
    const known = this.#records.get(id);
    if (known === undefined || this.#now() - known.at > this.#freshFor) this.#want(id);
    return known?.user;
  }

  /** There is this version of a record: one that is older is asked for again, and one that is gone (0). */
  heard(id: string, version: number): void {
    const known = this.#records.get(id);
    const has = known?.user?.version ?? 0;
    if (known !== undefined && (has < version || (version === 0 && has > 0))) this.#want(id);
  }

  /** Be told when something has come. Returns how to end it. */
  subscribe(listener: () => void): () => void {
    const own = () => listener(); // the same function may listen twice
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Users a word of whose name begins so. They are known from then on. */
  async search(prefix: string, more: { limit?: number; cursor?: string } = {}) {
    const found = await findUsers(this.client, prefix, more);
    this.#put(found.users);
    return found;
  }

  /** Ask for all of them again when they are next looked at. */
  forget(): void {
    this.#records.clear();
    this.#tell();
  }

  /** Nothing is asked for any more. */
  close(): void {
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop?.();
    this.#wanted.clear();
    this.#listeners.clear();
  }

  /** A record as it is now: of two the greater version counts, and one without a version as it comes. */
  #live(event: LiveEvent): void {
    if (event.type !== "user_updated") return;
    const { user } = event as UserUpdatedEvent;
    const has = this.#records.get(user.user_id)?.user?.version ?? 0;
    if (user.version === 0 || user.version > has) this.#put([user]);
  }

  #want(id: string): void {
    if (this.#asked.has(id) || this.#wanted.has(id)) return;
    this.#wanted.add(id);
    this.#plan();
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#wanted.size === 0) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        void this.#ask();
      },
      Math.max(TOGETHER, this.#notBefore - this.#now()),
    );
  }

  async #ask(): Promise<void> {
    const ids = [...this.#wanted].slice(0, MOST_IDS);
    for (const id of ids) {
      this.#wanted.delete(id);
      this.#asked.add(id);
    }
    try {
      const found = await getUsers(this.client, ids);
      const known = new Set(found.map((user) => user.user_id));
      this.#put(found);
      for (const id of ids) if (!known.has(id)) this.#records.set(id, { user: null, at: this.#now() });
      this.#tell();
    } catch (error) {
      this.#notBefore = this.#now() + PAUSE;
      // what is refused for good is not known: the next time is that of any record
      if (!(error as { retryable?: boolean }).retryable) {
        for (const id of ids) this.#records.set(id, { user: this.#records.get(id)?.user ?? null, at: this.#now() });
      }
    }
    for (const id of ids) this.#asked.delete(id);
    this.#plan();
  }

  #put(users: readonly User[]): void {
    let isNews = false;
    for (const user of users) {
      const before = this.#records.get(user.user_id)?.user;
      const isSame = before?.version === user.version && JSON.stringify(before) === JSON.stringify(user);
      isNews ||= !isSame;
      this.#records.set(user.user_id, { user: isSame ? before : user, at: this.#now() });
    }
    if (isNews) this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
