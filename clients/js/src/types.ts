/** What applications see. Names are camelCase where the client makes them up, and snake_case as on the wire in the server's objects. */

import type {
  Attachments,
  ChangeReply,
  ConversationUpdated,
  Data,
  DeliveredEvent,
  MemberAdded,
  MemberRemoved,
  MessageFrame,
  MessageReply,
  NotificationEvent,
  PresenceEvent,
  ReactReply,
  ReadEvent,
  SyncedConversation,
  TypingEvent,
  UserUpdatedEvent,
  Message as WireMessage,
} from "./generated/frames.js";
import type { Conversation, FileAnswer, NewUpload, Pin, SingleMessage } from "./generated/http.js";

export type { Notification } from "./generated/frames.js";
export type FileOut = FileAnswer;
export type ConversationOut = Conversation;
/** As on the wire; `status` and `receipts` come over HTTP, with one's own. */
export type Message = WireMessage & Pick<SingleMessage, "status" | "receipts">;
export type Ack = MessageReply["data"];
export type Changed = ChangeReply["data"] | ReactReply["data"];
/** An entry of a conversation's log, of a kind that this version knows. */
export type KnownEntry = SyncedConversation["entries"][number];
/** Before the type that the server gave it: one that this version does not know, or one that it is none of. */
export type UnknownType = `unknown:${string}` | `malformed:${string}`;
/** An entry that can't be understood keeps its place. */
export type UnknownEntry = { type: UnknownType; conversation_id: string; seq: number; [field: string]: unknown };
/** `if (entry.type === "new_message") entry.message` */
export type Entry = KnownEntry | UnknownEntry;
export type KnownLive = ReadEvent | DeliveredEvent | TypingEvent | PresenceEvent | NotificationEvent | UserUpdatedEvent;
export type UnknownLive = { type: UnknownType; [field: string]: unknown };
/** What happens beside the logs. */
export type LiveEvent = KnownLive | UnknownLive;

/** What the user has changed of their own, on any device; `what`: settings, hidden, block, contact, profile, device, or another one. */
export type UserChanged = {
  type: "user_changed";
  seq: number;
  timestamp: number;
  what: string;
  value: Record<string, unknown>;
};
/** Too much of that was missed, or this is the first of it: read how things are. */
export type UserReset = { type: "user_reset" };

export type ConnectionState = {
  state: "connecting" | "catching_up" | "online" | "offline" | "ended";
  /** For people: why it is offline, or has ended. */
  reason?: string;
  /** Stable: token_expired, unauthenticated, forbidden, revoked, banned, connection_limit, rate_limited, wrong_user, log_lost, not_saved, closed. */
  code?: string;
  /** Milliseconds since the epoch, when offline: the next try. */
  retryAt?: number;
  /** With the code `banned`, as soon as it is known: when that ends (ms); null where it does not end by itself. */
  until?: number | null;
};

export type DeliveryState = "sending" | "sent" | "delivered" | "read" | "failed";
export type Failed = { code: string; error: string; retryable: boolean };
/** A file on its way: `previewUrl` shows an image before it is stored. */
export type UploadProgress = { done: number; total: number; name: string; contentType: string; previewUrl?: string };

export type MessageItem = {
  kind: "message";
  /** Stable over its whole life: the client_message_id of own ones, else the id. */
  key: string;
  /** null while sending or failed. */
  seq: number | null;
  /** As it is now: edits, deletes and reactions applied. */
  message: Message;
  mine: boolean;
  /** Means something where `mine`. */
  state: DeliveryState;
  error?: Failed;
  /** The own edit, deletion or reaction that it shows is still on its way. */
  pendingEdit?: boolean;
  upload?: UploadProgress;
};
export type NoticeItem = {
  kind: "notice";
  key: string;
  seq: number;
  entry: MemberAdded | MemberRemoved | ConversationUpdated;
};
export type TimelineItem = MessageItem | NoticeItem;

export type Timeline = {
  /** Ascending: stored ones by seq, then what is being sent, in the order of writing. */
  items: readonly TimelineItem[];
  hasOlder: boolean;
  loadingOlder: boolean;
  /** The window was moved back (jumpTo); loadNewer brings it on. */
  hasNewer: boolean;
  /** The own read cursor, when known. */
  readSeq: number;
  /** Of the others, as far as known. */
  receipts: Readonly<Record<string, Receipt>>;
};
export type Receipt = { read: number; delivered: number };
/** `message` is missing where the pin has come since it was last asked for: `pins` of `@parley/client/more` brings it. */
export type PinnedMessage = Pick<Pin, "seq" | "pinned_by" | "pinned_at"> & { message?: Message };
export type InboxItem = ConversationOut & {
  /** What is pinned, the latest pin first: once it was asked for, over reloads and kept up to date. */
  pins?: readonly PinnedMessage[];
  /** What one's role may there, as it was last asked for. */
  permissions?: readonly string[];
};
export type Inbox = { items: readonly InboxItem[]; loaded: boolean; hasMore: boolean; unread: number };
export type PresenceState = { status: "online" | "offline"; last_seen: number | null } | undefined;

export type Where = { to: string } | { conversation_id: string };
export type SendMore = {
  reply_to?: number;
  mentions?: readonly string[];
  message_type?: NonNullable<MessageFrame["message_type"]>;
  file_id?: string;
  /** An object of your own, at most 4 KB of JSON. */
  data?: Data;
  /** Up to ten, each with a `type`, and with the `file_id` of a file where it has one. */
  attachments?: Attachments;
  forward_of?: { conversation_id: string; seq: number };
  client_message_id?: string;
};
export type Sending = { client_message_id: string; stored: Promise<Ack> };
export type UploadOptions = {
  name: string;
  content_type?: NewUpload["content_type"];
  kind?: "image" | "audio" | "video" | "file";
  /** Of a sound or a film, in ms: shown with the message that it is sent in. */
  duration_ms?: number;
  /** How loud it is, 0 to 100, in at most a hundred parts. */
  waveform?: number[];
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
};

export type Topic =
  | "connection"
  | "inbox"
  | "notifications"
  | `conversation:${string}`
  | `timeline:${string}`
  | `typing:${string}`
  | `presence:${string}`;

/** What `on` tells of: entries each once and in order. */
export type ClientEvents = {
  entry: Entry;
  event: LiveEvent;
  send_failed: { client_message_id: string; conversation_id: string | null; error: Failed };
  membership_lost: { conversation_id: string };
  user_changed: UserChanged;
  user_reset: UserReset;
  /** Which versions the records of users have, as the inbox says: it is asked for them while somebody listens. */
  versions: Readonly<Record<string, number>>;
};
