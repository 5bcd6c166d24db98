/** What frames say, checked as far as the client relies on it: a client survives what it does not understand. */

import type { Entry, KnownEntry, KnownLive, LiveEvent } from "../types.js";

export type Frame = Record<string, unknown>;

export function isSeq(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

export function isObject(value: unknown): value is Frame {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

type Check = (frame: Frame) => boolean;

export const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

const isText = (value: unknown): value is string => typeof value === "string";
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isOr = (value: unknown, check: (value: unknown) => boolean) => value === undefined || check(value);

function isMessage(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { sender_id, content, mentions, reactions } = value;
  return (
    isText(sender_id) &&
    (content === null || isText(content)) &&
    isOr(mentions, isTexts) &&
    isOr(reactions, (each) => isObject(each) && Object.values(each).every(isTexts)) &&
    isOr(value.reply_to, isSeq) &&
    isOr(value.client_message_id, isText)
  );
}

const isChange: Check = (frame) => isSeq(frame.message_seq) && isText(frame.user_id);
const ofMembers: Check = (frame) => isTexts(frame.users) && isText(frame.user_id);
const ENTRIES: Record<KnownEntry["type"], Check> = {
  new_message: (frame) => isMessage(frame.message),
  message_edited: (frame) => isChange(frame) && (frame.content === null || isText(frame.content)),
  message_deleted: isChange,
  reaction: (frame) => isChange(frame) && isText(frame.emoji),
  withheld: () => true,
  member_added: ofMembers,
  member_removed: ofMembers,
  conversation_updated: ({ changes }) =>
    isObject(changes) && isOr(changes.name, isText) && isOr(changes.roles, (roles) => isObject(roles)),
};

export function isPresence(value: unknown): boolean {
  return isObject(value) && isText(value.user_id) && isText(value.status);
}

const isReceipt: Check = (frame) => isPlaced(frame) && Number.isSafeInteger(frame.seq);
const isPlaced: Check = (frame) => isText(frame.conversation_id) && isText(frame.user_id);
const LIVE: Record<KnownLive["type"] | "messages", Check> = {
  read: isReceipt,
  delivered: isReceipt,
  typing: isPlaced,
  presence: isPresence,
  notification: ({ notification }) => isObject(notification) && isText(notification.id),
  user_updated: ({ user }) => isObject(user) && isText(user.user_id),
  messages: () => false, // what of a pack is good, is told by its entries
};

// An entry that says no place has none.
const UNPLACED: Record<string, Check> = Object.fromEntries(Object.keys(ENTRIES).map((type) => [type, () => false]));

/** A frame of a kind that is known has to look like one. What is not, says so by its type, which is how applications tell it apart. */
function checked(frame: Frame, type: string, checks: Record<string, Check>): Frame {
  const check = Object.hasOwn(checks, type) ? checks[type] : undefined;
  return check?.(frame) ? frame : { ...frame, type: `${check === undefined ? "unknown" : "malformed"}:${type}` };
}

/** The entry that a frame is: one with a place in a log. One of an unknown type, too; a malformed one keeps its place as such. */
export function asEntry(frame: Frame): Entry | null {
  const { type, conversation_id: where, seq } = frame;
  const isOther = !isText(type) || type === "disconnect" || Object.hasOwn(LIVE, type);
  return isOther || !isText(where) || !isSeq(seq) ? null : (checked(frame, type, ENTRIES) as Entry);
}

const LONGEST_WITHIN = 300_000;

/**
 * The entries of a pack, each as if it had come alone, with the time (ms) within which who lacks what is before it syncs. False: it
 * is none, or there is something in it that is no entry of its conversation.
 */
export function asPack(frame: Frame, each: (entry: Frame, within: number) => void): boolean {
  const { conversation_id, sync_within_ms: within } = frame;
  const events = frame.type === "messages" ? asList(frame.events) : [];
  const mine = events
    .filter(isObject)
    .filter((one) => one.conversation_id === conversation_id && asEntry(one) !== null);
  for (const one of mine) each(one, isSeq(within) ? Math.min(within, LONGEST_WITHIN) : 0);
  return mine.length > 0 && mine.length === events.length;
}

/** What has no place in a log; null for what is no event at all. */
export function asEvent(frame: Frame): LiveEvent | null {
  const { type } = frame;
  return isText(type) ? (checked(frame, type, { ...LIVE, ...UNPLACED }) as LiveEvent) : null;
}

export function isKnown<T extends KnownEntry["type"]>(
  entry: Entry,
  type: T,
): entry is Extract<KnownEntry, { type: T }> {
  return entry.type === type;
}

export function isLive<T extends KnownLive["type"]>(
  event: LiveEvent,
  type: T,
): event is Extract<KnownLive, { type: T }> {
  return event.type === type;
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
  return {
    blocks: asList(data.conversations)
      .map(asBlock)
      .filter((block) => block !== null),
    refused: asList(data.refused).filter(isText),
    hasMore: data.has_more === true,
    nextCursor: isText(data.next_cursor) && data.next_cursor !== "" ? data.next_cursor : null,
  };
}

function asBlock(raw: unknown): Block | null {
  if (!isObject(raw) || !isText(raw.id)) return null;
  const id = raw.id;
  const entries = asList(raw.entries)
    .filter(isObject)
    .map((frame) => asEntry({ ...frame, conversation_id: id }))
    .filter((entry) => entry !== null);
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
