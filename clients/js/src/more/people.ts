/** Users as the team's directory has them, and channels to read. */

import type { ParleyClient } from "../client.js";
import type { Channel, FoundUsers, Presence, User } from "../generated/http.js";
import type { Api } from "../http.js";

export type { Presence, User };
export type Asking = { readonly api: Api };
/** A client that also tells what comes live. */
export type Telling = Asking & Partial<Pick<ParleyClient, "on">>;
/** With a `client_conversation_id` of your own it is safe to try again. */
export type NewChannel = { name: string; join?: "open" | "closed"; client_conversation_id?: string };

/** What `ids=` takes. */
export const MOST_IDS = 100;

/** Users a word of whose name begins so, by name; `cursor` goes on from `next_cursor`, which is null at the end. */
export function findUsers(
  { api }: Asking,
  prefix: string,
  more: { limit?: number; cursor?: string } = {},
): Promise<FoundUsers> {
  return api.get("/v1/users", { query: { prefix, ...more } });
}

/** Null for one of whom nothing is known, or whom the own user may not see. */
export function getUser({ api }: Asking, user_id: string): Promise<User | null> {
  return orNull(api.get("/v1/users/{user_id}", { path: { user_id } }));
}

/** Those of them of whom something is known, in their order. Any number: a hundred are asked for at a time. */
export async function getUsers({ api }: Asking, ids: readonly string[]): Promise<User[]> {
  const found: User[] = [];
  for (const part of inParts(ids, MOST_IDS)) {
    found.push(...(await api.get("/v1/users", { query: { ids: part.join(",") } })).users);
  }
  return found;
}

/** How users are now, once; `client.watch` keeps an eye on them. At most 100, and those alone whom the own user may see. */
export async function presenceOf({ api }: Asking, users: readonly string[]): Promise<Presence[]> {
  return (await api.get("/v1/presence", { query: { users: users.join(",") } })).users;
}

/** A channel, which few write and many read; the own user is its owner. */
export async function createChannel({ api }: Asking, channel: NewChannel): Promise<Channel> {
  return (await api.post("/v1/conversations", { body: { type: "channel", ...channel } })) as Channel;
}

/** Read an open channel from now on; safe to repeat. Rejects with `not_a_member` where there is none, or it is closed. */
export function joinChannel(
  { api, userId }: Asking & { readonly userId: string | null },
  id: string,
): Promise<Channel> {
  const path = { conversation_id: id, user_id: userId ?? "" };
  return api.put("/v1/conversations/{conversation_id}/members/{user_id}", { path }) as Promise<Channel>; // it takes no requests
}

/** Null for what is not there. */
export async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if ((error as { status?: number }).status === 404) return null;
    throw error;
  }
}

export function* inParts<T>(all: readonly T[], size: number): Generator<T[], void> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}
