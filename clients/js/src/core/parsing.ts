/** What frames say, checked as far as the client relies on it: a client survives what it does not understand. */

import type { Entry, KnownEntry } from "../types.js";

export type Frame = Record<string, unknown>;

export function isSeq(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

export function isObject(value: unknown): value is Frame {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const EPHEMERAL = new Set(["read", "delivered", "typing", "presence", "notification", "disconnect"]);
const CHECKS: Record<KnownEntry["type"], (frame: Frame) => boolean> = {
  new_message: (f) => isObject(f.message) && typeof f.message.sender_id === "string",
  message_edited: (f) => isSeq(f.message_seq),
  message_deleted: (f) => isSeq(f.message_seq),
  reaction: (f) => isSeq(f.message_seq) && typeof f.emoji === "string" && typeof f.user_id === "string",
  member_added: (f) => Array.isArray(f.users),
  member_removed: (f) => Array.isArray(f.users),
  conversation_updated: (f) => isObject(f.changes),
};

/** The entry that a frame is: one with a place in a log. One of an unknown type, too; a malformed one keeps its place as such. */
export function asEntry(frame: Frame): Entry | null {
  const { type, conversation_id: where, seq } = frame;
  if (typeof type !== "string" || EPHEMERAL.has(type) || typeof where !== "string" || !isSeq(seq)) return null;
  const check = (CHECKS as Record<string, ((frame: Frame) => boolean) | undefined>)[type];
  return (check && !check(frame) ? { ...frame, type: `malformed:${type}` } : frame) as Entry;
}

export function isKnown<T extends KnownEntry["type"]>(
  entry: Entry,
  type: T,
): entry is Extract<KnownEntry, { type: T }> {
  return entry.type === type;
}

export function adds(entry: Entry, user: string | null): boolean {
  return isKnown(entry, "member_added") && user !== null && entry.users.includes(user);
}

export function removes(entry: Entry, user: string | null): boolean {
  return isKnown(entry, "member_removed") && user !== null && entry.users.includes(user);
}

/** What a reply says about one conversation. `joined` made the own user a member; 0 where nothing did. */
export type Block = {
  id: string;
  head: number;
  joined: number;
  entries: Entry[];
  hasMore: boolean;
  readSeq?: number;
  unread?: number;
};
export type Page = { blocks: Block[]; refused: string[]; hasMore: boolean; nextCursor: string | null };

/** The data of a reply to `sync`; what is malformed in it is left out. */
export function asPage(data: Frame): Page {
  const conversations = Array.isArray(data.conversations) ? data.conversations : [];
  const refused = Array.isArray(data.refused) ? data.refused : [];
  return {
    blocks: conversations.map(asBlock).filter((block) => block !== null),
    refused: refused.filter((each) => typeof each === "string"),
    hasMore: data.has_more === true,
    nextCursor: typeof data.next_cursor === "string" && data.next_cursor !== "" ? data.next_cursor : null,
  };
}

function asBlock(raw: unknown): Block | null {
  if (!isObject(raw) || typeof raw.id !== "string") return null;
  const id = raw.id;
  const listed = Array.isArray(raw.entries) ? raw.entries.filter(isObject) : [];
  const entries = listed.map((frame) => asEntry({ ...frame, conversation_id: id })).filter((entry) => entry !== null);
  entries.sort((a, b) => a.seq - b.seq);
  return {
    id,
    head: isSeq(raw.head) ? raw.head : 0,
    joined: isSeq(raw.joined_seq) ? raw.joined_seq : 0,
    entries,
    hasMore: raw.has_more === true,
    ...(typeof raw.read_seq === "number" ? { readSeq: raw.read_seq } : {}),
    ...(typeof raw.unread === "number" ? { unread: raw.unread } : {}),
  };
}
