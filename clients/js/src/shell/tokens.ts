/** Where tokens come from, and whose they are. */

import { ParleyError } from "../errors.js";
import { within } from "./deadline.js";

export type Token = string | (() => string | Promise<string>);

/** Keeps the last one; a function is asked for a fresh one. */
export class Tokens {
  #current: string | undefined;
  #asking: Promise<string> | null = null;

  constructor(
    private readonly source: Token,
    private readonly longest: number,
  ) {}

  /** Whether there are others after this one. */
  get renews(): boolean {
    return typeof this.source === "function";
  }

  async fresh(): Promise<string> {
    if (typeof this.source === "string") return this.source;
    this.#asking ??= this.#ask(this.source)
      .catch((error: unknown) => {
        throw ParleyError.of(error);
      })
      .finally(() => {
        this.#asking = null;
      });
    return this.#asking;
  }

  async #ask(source: () => string | Promise<string>): Promise<string> {
    const given: unknown = await within(Promise.resolve(source()), this.longest, "The token");
    const token = typeof given === "string" ? given.trim() : "";
    if (token === "") throw new ParleyError("unauthenticated", "The token function gave no token", true);
    this.#current = token;
    return token;
  }

  /** The one that is in use. */
  async get(): Promise<string> {
    return this.#current ?? this.fresh();
  }
}

/** The user of a JWT, as the server reads it, unverified: only the server's own verdict counts. */
export function userOf(token: string): string | null {
  const claims = claimsOf(token);
  const user = claims.user_id ?? claims.sub;
  return typeof user === "string" && user !== "" ? user : typeof user === "number" ? String(user) : null;
}

/** How long a JWT is good for, in milliseconds from `now`; null where that can't be read. */
export function leftOf(token: string, now: number): number | null {
  const { exp } = claimsOf(token);
  return typeof exp === "number" ? exp * 1_000 - now : null;
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
