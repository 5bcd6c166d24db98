// Made by clients/js/generate.py from docs/asyncapi.yaml. Do not edit: a test compares.

export type Attachments = { type: string; file_id?: string; [name: string]: unknown }[];

export type AuthFrame = { type: "auth"; id?: FrameId; token: string };

export type AuthReply = { success: true; id?: FrameId; data: { type: "auth"; user_id: string; expires_at: Time } };

export type ChangeReply = { success: true; id?: FrameId; data: { type: "edit" | "delete"; conversation_id: string; seq: EntrySeq; entry_seq: number | null; timestamp: Time } };

export type ConversationId = string;

export type ConversationUpdated = { type: "conversation_updated"; conversation_id: string; seq: EntrySeq; user_id: string; timestamp: Time; changes: { name?: string; roles?: Record<string, "owner" | "admin" | "member">; topic?: string | null; avatar?: string | null; data?: Record<string, unknown> | null; join?: "invite" | "request" | "open"; history?: "all" | "from_joining"; slow_mode?: number; frozen?: boolean; retention_days?: number | null; pinned?: EntrySeq; unpinned?: EntrySeq; members?: Record<string, { data?: Record<string, unknown> | null }> } };

export type CursorReply = { success: true; id?: FrameId; data: { type: "read" | "delivered"; conversation_id: string; seq: Seq } };

export type Cursors = Record<string, Seq>;

export type Data = Record<string, unknown>;

export type DeleteFrame = { type: "delete"; id?: FrameId; conversation_id: ConversationId; seq: EntrySeq };

export type DeliveredEvent = { type: "delivered"; conversation_id: string; user_id: string; seq: EntrySeq; timestamp: Time };

export type DeliveredFrame = { type: "delivered"; id?: FrameId; conversation_id: ConversationId; seq: Seq; reply?: boolean };

export type DisconnectEvent = { type: "disconnect"; code: string; reconnect: boolean };

export type EditFrame = { type: "edit"; id?: FrameId; conversation_id: ConversationId; seq: EntrySeq; content: string; data?: Record<string, unknown> | null };

export type Emoji = string;

export type EntryEvent = NewMessage | MessageEdited | MessageDeleted | Reaction | Withheld | MemberAdded | MemberRemoved | ConversationUpdated;

export type EntrySeq = number;

export type ErrorCode = "bad_request" | "unknown_type" | "too_large" | "unauthenticated" | "token_expired" | "forbidden" | "banned" | "not_a_member" | "blocked" | "rejected" | "not_found" | "conflict" | "sync_required" | "rate_limited" | "unavailable" | "internal";

export type Failure = { success: false; id?: FrameId; error: string; code: ErrorCode; retryable: boolean; retry_after_ms?: number; until?: number | null; reason?: string };

export type FrameId = string;

export type HeldReply = { success: true; id?: FrameId; data: { type: "message"; status: "held"; conversation_id: string; held_id: string; client_message_id?: string; timestamp: Time } };

export type JoinRequestEvent = { type: "join_request"; conversation_id: string; user_id: string; status: "requested" | "accepted" | "declined" | "withdrawn"; by: string; timestamp: Time };

export type MemberAdded = { type: "member_added"; conversation_id: string; seq: EntrySeq; user_id: string; timestamp: Time; users: string[]; name?: string; topic?: string; avatar?: string; data?: Data; join?: "invite" | "request" | "open"; history?: "all" | "from_joining" };

export type MemberRemoved = { type: "member_removed"; conversation_id: string; seq: EntrySeq; user_id: string; timestamp: Time; users: string[] };

export type Message = { id: string; conversation_id: string; seq: EntrySeq; sender_id: string; content: string | null; type: "text" | "image" | "audio" | "video" | "file" | "system"; created_at: Time; client_message_id?: string; reply_to?: EntrySeq; mentions?: string[]; file_id?: string; data?: Data; attachments?: Attachments; media?: { duration_ms?: number; waveform?: number[] }; forwarded?: true; edited_at?: Time; deleted_at?: Time; pinned_at?: Time; reactions?: Record<string, string[]>; reactions_cut?: true; reaction_counts?: Record<string, number>; reaction_total?: number; content_cut?: true };

export type MessageDeleted = { type: "message_deleted"; conversation_id: string; seq: EntrySeq; message_seq: EntrySeq; message_id: string; user_id: string; timestamp: Time };

export type MessageEdited = { type: "message_edited"; conversation_id: string; seq: EntrySeq; message_seq: EntrySeq; message_id: string; user_id: string; timestamp: Time; content: string | null; data?: Record<string, unknown> | null; content_cut?: true };

export type MessageFrame = { type: "message"; id?: FrameId; to?: UserId; conversation_id?: ConversationId; content?: string; message_type?: "text" | "image" | "audio" | "video" | "file"; client_message_id?: string; after?: Seq; reply_to?: EntrySeq; mentions?: UserId[]; file_id?: string; data?: Data; attachments?: Attachments; forward_of?: Place; read?: Seq };

export type MessageReply = { success: true; id?: FrameId; data: { type: "message"; read?: Seq; conversation_id: string; seq: EntrySeq; message_id: string; client_message_id?: string; timestamp: Time; duplicate: boolean } };

export type NewMessage = { type: "new_message"; conversation_id: string; seq: EntrySeq; read?: EntrySeq; message: Message };

export type Notification = { id: string; kind: "system" | "reminder"; title: string; body: string; data: Record<string, string>; created_at: Time; conversation_id?: string; seq?: EntrySeq };

export type NotificationEvent = { type: "notification"; notification: Notification };

export type Pack = { type: "messages"; conversation_id: string; events: EntryEvent[]; sync_within_ms: number };

export type PingFrame = { type: "ping"; id?: FrameId; conversation_id?: ConversationId; seq?: Seq };

export type Place = { conversation_id: ConversationId; seq: EntrySeq };

export type Pong = { success: true; id?: FrameId; data: { type: "pong"; timestamp: Time; behind: boolean } };

export type Presence = { user_id: string; status: Status; last_seen: number | null };

export type PresenceEvent = { type: "presence"; user_id: string; status: Status; last_seen: number | null; timestamp: Time };

export type PresenceFrame = { type: "presence"; id?: FrameId; users: UserId[] };

export type PresenceReply = { success: true; id?: FrameId; data: { type: "presence"; users: Presence[] } };

export type ReactFrame = { type: "react"; id?: FrameId; conversation_id: ConversationId; seq: EntrySeq; emoji: Emoji; remove?: boolean; user_id?: UserId };

export type ReactReply = { success: true; id?: FrameId; data: { type: "react"; conversation_id: string; seq: EntrySeq; entry_seq: number | null; timestamp: Time; emoji: Emoji; removed: boolean; user_id?: string } };

export type Reaction = { type: "reaction"; conversation_id: string; seq: EntrySeq; message_seq: EntrySeq; message_id: string; user_id: string; removed_by?: string; timestamp: Time; emoji: Emoji; removed: boolean };

export type ReadEvent = { type: "read"; conversation_id: string; user_id: string; seq: EntrySeq; timestamp: Time };

export type ReadFrame = { type: "read"; id?: FrameId; conversation_id: ConversationId; seq: Seq; reply?: boolean };

export type ReceiptsFrame = { type: "receipts"; id?: FrameId; read?: Cursors; delivered?: Cursors; reply?: boolean };

export type ReceiptsReply = { success: true; id?: FrameId; data: { type: "receipts"; read: Cursors; delivered: Cursors; refused?: RefusedCursor[] } };

export type RefusedCursor = { type: "read" | "delivered"; conversation_id: string; error: string; code: ErrorCode; retryable: boolean; retry_after_ms?: number; until?: number | null; reason?: string };

export type Seq = number;

export type Status = "online" | "offline";

export type SyncFrame = { type: "sync"; id?: FrameId; conversations?: Record<string, Seq>; cursor?: string; user?: number };

export type SyncReply = { success: true; id?: FrameId; data: { type: "sync"; conversations: SyncedConversation[]; refused?: string[]; user?: SyncedOwn; has_more: boolean; next_cursor?: string } };

export type SyncedConversation = { id: string; head: Seq; entries: EntryEvent[]; has_more: boolean; read_seq: Seq; unread: number; joined_seq: Seq; visible_from?: EntrySeq; trimmed_below?: EntrySeq };

export type SyncedOwn = { head: Seq; entries: UserChanged[]; has_more: boolean; reset?: boolean };

export type Time = number;

export type TypingEvent = { type: "typing"; conversation_id: string; user_id: string; active: boolean };

export type TypingFrame = { type: "typing"; id?: FrameId; conversation_id: ConversationId; active?: boolean };

export type TypingReply = { success: true; id?: FrameId; data: { type: "typing"; conversation_id: string; active: boolean } };

export type UserChanged = { type: "user_changed"; seq: EntrySeq; timestamp: Time; what: string; value: Record<string, unknown> };

export type UserId = string;

export type UserUpdatedEvent = { type: "user_updated"; user_id: string; version: number; user: { user_id: string; name: string | null; avatar: string | null; role: string | null; data: Record<string, unknown>; deactivated: boolean; version: number }; timestamp: Time };

export type Withheld = { type: "withheld"; conversation_id: string; seq: EntrySeq; timestamp: Time };

export type ClientFrame = MessageFrame | EditFrame | DeleteFrame | ReactFrame | ReadFrame | DeliveredFrame | ReceiptsFrame | TypingFrame | PresenceFrame | SyncFrame | PingFrame | AuthFrame;

export type ServerReply = MessageReply | HeldReply | ChangeReply | ReactReply | CursorReply | ReceiptsReply | TypingReply | PresenceReply | SyncReply | Pong | AuthReply | Failure;

export type ServerEvent = NewMessage | Pack | MessageEdited | MessageDeleted | Withheld | Reaction | MemberAdded | MemberRemoved | ConversationUpdated | ReadEvent | DeliveredEvent | TypingEvent | PresenceEvent | JoinRequestEvent | UserUpdatedEvent | NotificationEvent | UserChanged | DisconnectEvent;
