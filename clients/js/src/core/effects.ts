/** What the core tells its shell to do, and what is to be kept before any of it is done. */

import type { ParleyError } from "../errors.js";
import type { Attachments, Data, MessageFrame, SyncedConversation } from "../generated/frames.js";
import type { Entry, Failed, LiveEvent, Notification, UserChanged, UserReset } from "../types.js";

export type Body = {
  content?: string;
  message_type?: NonNullable<MessageFrame["message_type"]>;
  reply_to?: number;
  mentions?: string[];
  file_id?: string;
  data?: Data;
  attachments?: Attachments;
  forward_of?: { conversation_id: string; seq: number };
};

/** One unacknowledged message as it is kept; `error`: it was refused, and waits for the user. */
export type SavedMessage = {
  client_message_id: string;
  to: string | null;
  conversation_id: string | null;
  body: Body;
  after: number;
  order: number;
  created_at: number;
  error?: Failed;
};
/** How far a conversation was passed on. `over`: the own user is no member; `ended`: the entry that removed them, or 0. */
export type SavedConversation = { id: string; held: number | null; over: boolean; ended: number; order: number };
export type SavedCursor = { kind: "read" | "delivered"; conversation_id: string; seq: number };
/** `own`: the last entry of the user's own log that was passed on; not there in what an earlier version has kept. */
export type SavedMeta = { version: number; user_id: string | null; synced: boolean; own?: number | null };

/** All that has to survive this process. */
export type Saved = {
  meta: SavedMeta | null;
  conversations: SavedConversation[];
  outbox: SavedMessage[];
  cursors: SavedCursor[];
};

/** What has changed of it since the last one. */
export type Save = {
  meta?: SavedMeta;
  conversations: SavedConversation[];
  put: SavedMessage[];
  drop: string[];
  cursors?: SavedCursor[];
};

export type SyncState = Pick<SyncedConversation, "id" | "head" | "read_seq" | "unread" | "joined_seq">;

export type CoreEvent =
  | { type: "entry"; entry: Entry }
  | { type: "ephemeral"; event: LiveEvent }
  | { type: "presences"; users: { user_id: string; status: "online" | "offline"; last_seen: number | null }[] }
  | { type: "notification"; notification: Notification }
  | { type: "membership_lost"; conversation_id: string }
  | { type: "send_failed"; client_message_id: string; conversation_id: string | null; error: Failed }
  | { type: "acked"; client_message_id: string; conversation_id: string; seq: number }
  | { type: "synced"; conversations: SyncState[] }
  | { type: "own"; entry: UserChanged | UserReset }
  | {
      type: "connection";
      state: "connecting" | "catching_up" | "online" | "offline" | "ended";
      reason?: string;
      code?: string;
      retryIn?: number;
      until?: number | null;
    };

export type Effect =
  /** Open a connection, with a fresh token. */
  | { type: "connect" }
  /** Close the connection. The core counts it as lost already. */
  | { type: "disconnect"; reason: string }
  /** Get a fresh token, and tell the core (`renew` or `notRenewed`). */
  | { type: "renew" }
  /** Get the notifications that are not acknowledged over HTTP, and tell the core (`notified` or `notNotified`). */
  | { type: "ask_notifications"; number: number }
  | { type: "transmit"; frame: Record<string, unknown> }
  | { type: "done"; call: number; value?: unknown }
  | { type: "failed"; call: number; error: ParleyError }
  | { type: "event"; event: CoreEvent };
