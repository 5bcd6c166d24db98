// Made by clients/js/generate.py from the OpenAPI document. Do not edit: a test compares.

export type AddedMembers = { added: string[]; members_count: number };

export type ApnsDevice = { platform: "apns"; token: string; app_id: string; environment?: "production" | "sandbox"; installation_id?: string };

export type Attachment = { type: string; file_id?: string; [name: string]: unknown };

export type Audit = { rows: AuditRow[]; next_cursor: string | null };

export type AuditRow = { at: number; by: string; acting_as: string | null; method: string; route: string; arguments: Record<string, string>; request_id: string };

export type Ban = { user_id: string; until: number | null; reason: string; at: number; by: string };

export type BanGiven = { user_id: string; until: number | null; reason: string; at: number; by: string; closed: number };

export type BegunUpload = { file_id: string; kind: "image" | "audio" | "video" | "file"; name: string; content_type: string; size: number; status: "pending"; upload: UploadForm; expires_at: number };

export type Blocks = { blocks: string[] };

export type Broadcast = { id: string; title: string; body: string; data: Record<string, string>; store: boolean; state: "running" | "paused" | "cancelled" | "done"; by: string; created_at: number; updated_at: number; progress: number; posted: number; failed: number; stored: number };

export type Broadcasts = { broadcasts: Broadcast[]; next_cursor: string | null };

export type ChangedMember = { user_id: string; role: "owner" | "admin" | "member"; data?: Record<string, unknown> | null };

export type Channel = { id: string; type: "channel" | "group"; name: string; join: "open" | "closed" | "invite" | "request" | "open"; role: "owner" | "admin" | "member"; head: number };

export type Closed = { closed: number };

export type Connections = { connections: LiveConnection[] };

export type Contact = { user_id: string; status: "requested" | "incoming" | "accepted"; alias: string | null; since: number };

export type ContactChange = { status?: "accepted"; alias?: string | null };

export type ContactRequest = { user_id: string };

export type Contacts = { contacts: Contact[] };

export type Conversation = { muted_until: number | null; notify: "all" | "mentions" | "none"; pinned: boolean; archived: boolean; topic: string | null; avatar: string | null; data: Record<string, unknown> | null; id: string; type: "private" | "group" | "channel"; name: string | null; join: "open" | "closed" | "invite" | "request" | "open" | null; history: "all" | "from_joining"; head: number; last_message: Message | null; unread: number; read_seq: number; delivered_seq: number; joined_seq: number; visible_from: number; trimmed_below?: number; members: string[] | null; member_count: number; role: "owner" | "admin" | "member" | null; slow_mode: number; frozen: boolean; retention_days: number | null };

export type ConversationChange = { topic?: string | null; avatar?: string | null; data?: Record<string, unknown> | null; join?: "invite" | "request" | "open"; history?: "all" | "from_joining"; name?: string; slow_mode?: number | null; frozen?: boolean | null; retention_days?: number | null };

export type ConversationHold = { conversation_id: string; reason: string; at: number; by: string };

export type DecidedReport = { id: string; status: "open" | "decided"; reporter: string; user_id: string; reason: string; comment: string; created_at: number; conversation_id: string | null; seq: number | null; message: Message | null; decision: shared__wire__shapes__moderation__Decision | null };

export type DeletedMessage = { conversation_id: string; seq: number; entry_seq: number | null; timestamp: number; type: "delete" };

export type DeviceAnswer = { device_id: string; platform: "fcm" | "apns" | "web"; token?: string; installation_id?: string; endpoint?: string; environment: "production" | "sandbox" | null; app_id: string | null; registered_at: number };

export type Devices = { devices: DeviceAnswer[] };

export type Document = { openapi: string; info: Record<string, unknown>; servers?: Record<string, unknown>[]; tags?: Record<string, unknown>[]; security?: Record<string, string[]>[]; paths: Record<string, unknown>; components?: Record<string, unknown> };

export type EditedMessage = { conversation_id: string; seq: number; entry_seq: number | null; timestamp: number; type: "edit" };

export type Erasure = { id: string; user_id: string; status: "running" | "done" | "stopped"; created_at: number; updated_at: number; by: string; progress: Record<string, number>; left: Left[] | null };

export type Error = { error: string; code: "bad_request" | "banned" | "blocked" | "conflict" | "forbidden" | "internal" | "not_a_member" | "not_found" | "rate_limited" | "rejected" | "sync_required" | "token_expired" | "too_large" | "unauthenticated" | "unavailable" | "unknown_type"; retryable: boolean; retry_after_ms?: number; until?: number | null; reason?: string; request_id: string };

export type Export = { id: string; user_id: string; status: "running" | "done" | "stopped"; created_at: number; updated_at: number; by: string; progress: Record<string, number>; expires_at: number | null; objects: ExportObject[]; next_cursor: string | null };

export type ExportObject = { name: string; size: number; url: string; expires_in: number };

export type FcmDevice = { platform: "fcm"; token?: string; installation_id?: string; app_id?: string; environment?: "production" | "sandbox" };

export type FileAnswer = { file_id: string; kind: "image" | "audio" | "video" | "file"; name: string; content_type: string; size: number; status: "pending" | "ready" | "rejected"; reason: "wrong_size" | "wrong_type" | "not_decodable" | "too_many_pixels" | null; width: number | null; height: number | null; url: string | null; thumbnail_url: string | null; expires_in: number | null };

export type ForwardOf = { conversation_id: string; seq: number };

export type FoundUsers = { users: User[]; next_cursor: string | null };

export type GroupConversation = { topic: string | null; avatar: string | null; data: Record<string, unknown> | null; id: string; type: "group"; join: "open" | "closed" | "invite" | "request" | "open"; history: "all" | "from_joining"; name: string; members: string[]; role: "owner" | "admin" | "member"; head: number };

export type HeldContent = { content: string; type: "text" | "image" | "audio" | "video" | "file" | "system"; client_message_id?: string; reply_to?: number; mentions?: string[]; file_id?: string; data?: Record<string, unknown>; attachments?: Attachment[] };

export type HeldForReview = { id: string; conversation_id: string; sender_id: string; created_at: number; message: HeldContent; status: "held" | "approved" | "rejected"; decision: Review | null; seq: number | null };

export type HeldMessage = { type: "message"; status: "held"; conversation_id: string; held_id: string; client_message_id?: string; timestamp: number };

export type HeldMessages = { held: HeldForReview[]; next_cursor: string | null };

export type History = { messages: ListedMessage[]; has_more: boolean; notices?: Record<string, unknown>[]; trimmed_below?: number };

export type Hold = { user_id: string; reason: string; at: number; by: string };

export type Import = { imported: number; duplicates: number; refused: number; lines: ImportedLine[] };

export type ImportedLine = { line: number; status: "imported" | "duplicate" | "refused" | "skipped"; conversation_id: string | null; seq: number | null; code: "bad_request" | "banned" | "blocked" | "conflict" | "forbidden" | "internal" | "not_a_member" | "not_found" | "rate_limited" | "rejected" | "sync_required" | "token_expired" | "too_large" | "unauthenticated" | "unavailable" | "unknown_type" | null; error: string | null };

export type Inbox = { conversations: Conversation[]; next_cursor: string | null; versions?: Record<string, number> };

export type Invitation = { conversation_id: string; type: "group"; name: string; topic: string | null; avatar: string | null; member_count: number; created_by: string; expires_at: number | null };

export type Invite = { invite_id: string; conversation_id: string; created_by: string; created_at: number; expires_at: number | null; max_uses: number | null; uses: number };

export type InviteTerms = { expires_at?: number | null; max_uses?: number | null };

export type Invites = { invites: Invite[] };

export type Job = { id: string; user_id: string; status: "running" | "done" | "stopped"; created_at: number; updated_at: number; by: string; progress: Record<string, number> };

export type JoinRequest = { conversation_id: string; user_id: string; requested_at: number };

export type JoinRequests = { requests: JoinRequest[] };

export type Left = { where: string; rows: number; why: string };

export type ListedMessage = { id: string; conversation_id: string; seq: number; sender_id: string; content: string | null; type: "text" | "image" | "audio" | "video" | "file" | "system"; created_at: number; client_message_id?: string; reply_to?: number; mentions?: string[]; file_id?: string; data?: Record<string, unknown>; attachments?: Attachment[]; media?: Media; forwarded?: true; edited_at?: number; deleted_at?: number; pinned_at?: number; reactions?: Record<string, string[]>; reactions_cut?: true; reaction_counts?: Record<string, number>; reaction_total?: number; content_cut?: true; status?: "sent" | "delivered" | "read" };

export type LiveConnection = { connection_id: string; device_id: string; connected_at: number; last_heard_at: number };

export type MadeReport = { id: string; reason: string; comment: string; created_at: number; user_id: string; conversation_id?: string; seq?: number };

export type Media = { duration_ms?: number; waveform?: number[] };

export type Member = { user_id: string; role: "owner" | "admin" | "member"; joined_at: number; read_seq: number; delivered_seq: number; visible_from: number; data: Record<string, unknown> | null };

export type MemberChange = { role?: "owner" | "admin" | "member"; data?: Record<string, unknown> | null };

export type Members = { members: Member[]; next_cursor?: string | null; versions?: Record<string, number> };

export type Message = { id: string; conversation_id: string; seq: number; sender_id: string; content: string | null; type: "text" | "image" | "audio" | "video" | "file" | "system"; created_at: number; client_message_id?: string; reply_to?: number; mentions?: string[]; file_id?: string; data?: Record<string, unknown>; attachments?: Attachment[]; media?: Media; forwarded?: true; edited_at?: number; deleted_at?: number; pinned_at?: number; reactions?: Record<string, string[]>; reactions_cut?: true; reaction_counts?: Record<string, number>; reaction_total?: number; content_cut?: true };

export type NamedRecord = { name?: string | null; avatar?: string | null; role?: string | null; data?: Record<string, unknown> | null; deactivated?: boolean | null; email?: string | null; user_id: string };

export type NewBan = { until?: number | null; reason?: string };

export type NewBroadcast = { title: string; body?: string; data?: Record<string, string>; store?: boolean; broadcast_id?: string };

export type NewChannel = { topic?: string | null; avatar?: string | null; data?: Record<string, unknown> | null; type: "channel"; name: string; join?: "open" | "closed"; client_conversation_id?: string | null };

export type NewContent = { content: string; data?: Record<string, unknown> | null };

export type NewDecision = { decision: "dismiss" | "delete" | "ban"; until?: number | null; note?: string };

export type NewGroup = { topic?: string | null; avatar?: string | null; data?: Record<string, unknown> | null; join?: "invite" | "request" | "open"; history?: "all" | "from_joining"; type: "group"; name: string; members?: string[]; client_conversation_id?: string | null };

export type NewHold = { reason?: string };

export type NewImport = { lines: Record<string, unknown>[] };

export type NewInvite = { invite_id: string; conversation_id: string; created_by: string; created_at: number; expires_at: number | null; max_uses: number | null; uses: number; token: string };

export type NewMembers = { users: string[] };

export type NewMessage = { content?: string; message_type?: "text" | "image" | "audio" | "video" | "file" | "system"; client_message_id?: string | null; after?: number | null; reply_to?: number | null; mentions?: string[]; file_id?: string | null; data?: Record<string, unknown> | null; attachments?: { type: string; file_id?: string; [name: string]: unknown }[]; forward_of?: ForwardOf | null };

export type NewNotification = { users: string[]; title: string; body?: string; data?: Record<string, string>; notification_id?: string };

export type NewPrivateConversation = { type: "private"; with: string };

export type NewReminder = { at: number };

export type NewReview = { decision: "approve" | "reject"; reason?: string };

export type NewShadowBan = { reason?: string };

export type NewUpload = { name: string; content_type: "image/jpeg" | "image/png" | "image/gif" | "image/webp" | "application/pdf" | "application/zip" | "application/vnd.openxmlformats-officedocument.wordprocessingml.document" | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" | "application/vnd.openxmlformats-officedocument.presentationml.presentation" | "text/plain" | "text/csv" | "audio/mpeg" | "audio/mp4" | "audio/ogg" | "audio/wav" | "audio/webm" | "video/mp4" | "video/webm" | "video/quicktime"; size: number; kind?: "image" | "audio" | "video" | "file" | null; duration_ms?: number | null; waveform?: number[] };

export type NewWebhook = { url: string; events?: string[] | null; conversations?: string[] | null; enabled?: boolean };

export type NewWordList = { action: "block" | "hold" | "mask"; words: string[] };

export type Notification = { id: string; kind: "system" | "reminder"; title: string; body: string; data: Record<string, string>; created_at: number; conversation_id: string | null; seq: number | null };

export type Notifications = { notifications: Notification[] };

export type OneConversation = { muted_until: number | null; notify: "all" | "mentions" | "none"; pinned: boolean; archived: boolean; topic: string | null; avatar: string | null; data: Record<string, unknown> | null; id: string; type: "private" | "group" | "channel"; name: string | null; join: "open" | "closed" | "invite" | "request" | "open" | null; history: "all" | "from_joining"; head: number; last_message: Message | null; unread: number; read_seq: number; delivered_seq: number; joined_seq: number; visible_from: number; trimmed_below?: number; members: string[] | null; member_count: number; role: "owner" | "admin" | "member" | null; slow_mode: number; frozen: boolean; retention_days: number | null; permissions: string[]; versions?: Record<string, number> };

export type Pin = { seq: number; message_id: string; pinned_by: string; pinned_at: number; message: Message };

export type PinChange = { conversation_id: string; seq: number; entry_seq: number | null; timestamp: number; type: "pin"; removed: boolean };

export type Pins = { pins: Pin[] };

export type Presence = { user_id: string; status: "online" | "offline"; last_seen: number | null };

export type Presences = { users: Presence[] };

export type PrivateConversation = { id: string; type: "private"; members: string[] };

export type Profile = { user_id: string; display_name: string | null; avatar_url: string | null; hide_presence: boolean; groups_from: "everyone" | "contacts"; mail: "all" | "mentions" | "off"; mail_stopped: "bounce" | "complaint" | null; push: Push };

export type ProfileChange = { display_name?: string | null; avatar_url?: string | null; hide_presence?: boolean | null; groups_from?: "everyone" | "contacts" | null; mail?: "all" | "mentions" | "off" | null; push?: PushChange | null };

export type Push = { previews: boolean; quiet_hours: QuietHours | null };

export type PushChange = { previews?: boolean | null; quiet_hours?: QuietHoursChange | null };

export type QuietHours = { start: string; end: string; time_zone: string };

export type QuietHoursChange = { start: string; end: string; time_zone: string };

export type Reaction = { conversation_id: string; seq: number; entry_seq: number | null; timestamp: number; type: "react"; emoji: string; removed: boolean; user_id?: string };

export type ReadCursor = { type: "read"; conversation_id: string; seq: number };

export type ReadUpTo = { seq: number };

export type Receipts = { members: number; delivered: number; read: number };

export type ReminderAnswer = { reminder_id: string; conversation_id: string; seq: number; at: number };

export type Reminders = { reminders: ReminderAnswer[] };

export type Replay = { since?: number | null; conversation_id?: string | null; seq?: number | null };

export type Replaying = { id: string };

export type Report = { id: string; status: "open" | "decided"; reporter: string; user_id: string; reason: string; comment: string; created_at: number; conversation_id: string | null; seq: number | null; message: Message | null; decision: shared__wire__shapes__moderation__Decision | null };

export type ReportMade = { reason: string; comment?: string; user_id?: string | null; conversation_id?: string | null; seq?: number | null };

export type Reports = { reports: Report[]; next_cursor: string | null };

export type RequestChange = { conversation_id: string; user_id: string; status: "requested" | "accepted" | "declined" | "withdrawn"; by: string; timestamp: number };

export type Review = { decision: "approve" | "reject"; by: string; at: number; reason: string };

export type ReviewedMessage = { id: string; conversation_id: string; sender_id: string; created_at: number; message: HeldContent; status: "held" | "approved" | "rejected"; decision: Review | null; seq: number | null };

export type Revocation = { issued_before: number };

export type Revoked = { issued_before: number; closed: number };

export type SentMessage = { type: "message"; conversation_id: string; seq: number; message_id: string; client_message_id?: string; timestamp: number; duplicate: boolean };

export type SentNotification = { notification_id: string; users: number };

export type Settings = { muted_until: number | null; notify: "all" | "mentions" | "none"; pinned: boolean; archived: boolean };

export type SettingsChange = { muted_until?: number | null; notify?: "all" | "mentions" | "none"; pinned?: boolean; archived?: boolean };

export type ShadowBan = { user_id: string; reason: string; at: number; by: string };

export type SingleMessage = { id: string; conversation_id: string; seq: number; sender_id: string; content: string | null; type: "text" | "image" | "audio" | "video" | "file" | "system"; created_at: number; client_message_id?: string; reply_to?: number; mentions?: string[]; file_id?: string; data?: Record<string, unknown>; attachments?: Attachment[]; media?: Media; forwarded?: true; edited_at?: number; deleted_at?: number; pinned_at?: number; reactions?: Record<string, string[]>; reactions_cut?: true; reaction_counts?: Record<string, number>; reaction_total?: number; content_cut?: true; status?: "sent" | "delivered" | "read"; receipts?: Receipts };

export type Ticket = { ticket: string; expires_in: number };

export type Trying = { id: string };

export type UploadForm = { url: string; fields: Record<string, string> };

export type User = { user_id: string; name: string | null; avatar: string | null; role: string | null; data: Record<string, unknown>; deactivated: boolean; version: number; email?: string | null; mail_stopped?: "bounce" | "complaint" | null };

export type UserRecord = { name?: string | null; avatar?: string | null; role?: string | null; data?: Record<string, unknown> | null; deactivated?: boolean | null; email?: string | null };

export type UserRecords = { users: NamedRecord[] };

export type Users = { users: User[] };

export type WebDevice = { platform: "web"; endpoint: string; keys: WebKeys; app_id?: string; environment?: "production" | "sandbox" };

export type WebKey = { public_key: string };

export type WebKeys = { p256dh: string; auth: string };

export type Webhook = { id: string; url: string; events: string[] | null; conversations: string[] | null; enabled: boolean; disabled: "gone" | "failing" | null; created_at: number; previous_secret_until: number | null; health: shared__wire__shapes__webhooks__Health };

export type WebhookWithSecret = { id: string; url: string; events: string[] | null; conversations: string[] | null; enabled: boolean; disabled: "gone" | "failing" | null; created_at: number; previous_secret_until: number | null; health: shared__wire__shapes__webhooks__Health; secret: string };

export type Webhooks = { webhooks: Webhook[] };

export type WordList = { name: string; action: "block" | "hold" | "mask"; words: string[]; updated_at: number };

export type WordLists = { enabled: boolean; lists: WordList[] };

export type shared__wire__rest__joining__Decision = { status: "accepted" | "declined" };

export type shared__wire__shapes__moderation__Decision = { decision: "dismiss" | "delete" | "ban"; by: string; at: number; until: number | null; note: string };

export type shared__wire__shapes__service__Health = { status: "ok"; time: number; version: string };

export type shared__wire__shapes__webhooks__Health = { failures: number; failing_since: number | null; rests_until: number | null; last_success_at: number | null; last_failure_at: number | null; last_failure: string | null };

export type Operations = {
  "GET /v1/audit": { query: { from?: number; to?: number; user?: string; limit?: number; cursor?: string }; answer: Audit };
  "GET /v1/blocks": { answer: Blocks };
  "PUT /v1/blocks/{user_id}": { path: { user_id: string }; answer: undefined };
  "DELETE /v1/blocks/{user_id}": { path: { user_id: string }; answer: undefined };
  "GET /v1/broadcasts": { query: { limit?: number; cursor?: string }; answer: Broadcasts };
  "POST /v1/broadcasts": { body: NewBroadcast; answer: Broadcast };
  "GET /v1/broadcasts/{broadcast_id}": { path: { broadcast_id: string }; answer: Broadcast };
  "POST /v1/broadcasts/{broadcast_id}/cancel": { path: { broadcast_id: string }; answer: Broadcast };
  "POST /v1/broadcasts/{broadcast_id}/pause": { path: { broadcast_id: string }; answer: Broadcast };
  "POST /v1/broadcasts/{broadcast_id}/resume": { path: { broadcast_id: string }; answer: Broadcast };
  "GET /v1/contacts": { answer: Contacts };
  "POST /v1/contacts": { body: ContactRequest; answer: Contact };
  "PATCH /v1/contacts/{user_id}": { path: { user_id: string }; body: ContactChange; answer: Contact };
  "DELETE /v1/contacts/{user_id}": { path: { user_id: string }; answer: undefined };
  "GET /v1/conversations": { query: { limit?: number; cursor?: string; versions?: boolean }; answer: Inbox };
  "POST /v1/conversations": { body: NewPrivateConversation | NewGroup | NewChannel; answer: PrivateConversation | GroupConversation | Channel };
  "GET /v1/conversations/{conversation_id}": { path: { conversation_id: string }; query: { versions?: boolean }; answer: OneConversation };
  "PATCH /v1/conversations/{conversation_id}": { path: { conversation_id: string }; body: ConversationChange; answer: OneConversation };
  "DELETE /v1/conversations/{conversation_id}": { path: { conversation_id: string }; answer: undefined };
  "GET /v1/conversations/{conversation_id}/hold": { path: { conversation_id: string }; answer: ConversationHold };
  "PUT /v1/conversations/{conversation_id}/hold": { path: { conversation_id: string }; body: NewHold; answer: ConversationHold };
  "DELETE /v1/conversations/{conversation_id}/hold": { path: { conversation_id: string }; answer: undefined };
  "GET /v1/conversations/{conversation_id}/invites": { path: { conversation_id: string }; answer: Invites };
  "POST /v1/conversations/{conversation_id}/invites": { path: { conversation_id: string }; body: InviteTerms; answer: NewInvite };
  "DELETE /v1/conversations/{conversation_id}/invites/{invite_id}": { path: { conversation_id: string; invite_id: string }; answer: undefined };
  "GET /v1/conversations/{conversation_id}/members": { path: { conversation_id: string }; query: { limit?: number; cursor?: string; versions?: boolean }; answer: Members };
  "POST /v1/conversations/{conversation_id}/members": { path: { conversation_id: string }; body: NewMembers; answer: AddedMembers };
  "PUT /v1/conversations/{conversation_id}/members/{user_id}": { path: { conversation_id: string; user_id: string }; answer: Channel | RequestChange };
  "PATCH /v1/conversations/{conversation_id}/members/{user_id}": { path: { conversation_id: string; user_id: string }; body: MemberChange; answer: ChangedMember };
  "DELETE /v1/conversations/{conversation_id}/members/{user_id}": { path: { conversation_id: string; user_id: string }; answer: undefined };
  "GET /v1/conversations/{conversation_id}/messages": { path: { conversation_id: string }; query: { before?: number; after?: number; limit?: number; notices?: boolean }; answer: History };
  "POST /v1/conversations/{conversation_id}/messages": { path: { conversation_id: string }; body: NewMessage; answer: HeldMessage | SentMessage };
  "GET /v1/conversations/{conversation_id}/messages/{seq}": { path: { conversation_id: string; seq: number }; answer: SingleMessage };
  "PATCH /v1/conversations/{conversation_id}/messages/{seq}": { path: { conversation_id: string; seq: number }; body: NewContent; answer: EditedMessage };
  "DELETE /v1/conversations/{conversation_id}/messages/{seq}": { path: { conversation_id: string; seq: number }; answer: DeletedMessage };
  "PUT /v1/conversations/{conversation_id}/messages/{seq}/reactions/{emoji}": { path: { conversation_id: string; seq: number; emoji: string }; answer: Reaction };
  "DELETE /v1/conversations/{conversation_id}/messages/{seq}/reactions/{emoji}": { path: { conversation_id: string; seq: number; emoji: string }; query: { user_id?: string }; answer: Reaction };
  "POST /v1/conversations/{conversation_id}/messages/{seq}/reminders": { path: { conversation_id: string; seq: number }; body: NewReminder; answer: ReminderAnswer };
  "GET /v1/conversations/{conversation_id}/pins": { path: { conversation_id: string }; answer: Pins };
  "PUT /v1/conversations/{conversation_id}/pins/{seq}": { path: { conversation_id: string; seq: number }; answer: PinChange };
  "DELETE /v1/conversations/{conversation_id}/pins/{seq}": { path: { conversation_id: string; seq: number }; answer: PinChange };
  "POST /v1/conversations/{conversation_id}/read": { path: { conversation_id: string }; body: ReadUpTo; answer: ReadCursor };
  "GET /v1/conversations/{conversation_id}/requests": { path: { conversation_id: string }; answer: JoinRequests };
  "PATCH /v1/conversations/{conversation_id}/requests/{user_id}": { path: { conversation_id: string; user_id: string }; body: shared__wire__rest__joining__Decision; answer: RequestChange };
  "DELETE /v1/conversations/{conversation_id}/requests/{user_id}": { path: { conversation_id: string; user_id: string }; answer: undefined };
  "PATCH /v1/conversations/{conversation_id}/settings": { path: { conversation_id: string }; body: SettingsChange; answer: Settings };
  "GET /v1/devices": { answer: Devices };
  "PUT /v1/devices/{device_id}": { path: { device_id: string }; body: FcmDevice | ApnsDevice | WebDevice; answer: DeviceAnswer };
  "DELETE /v1/devices/{device_id}": { path: { device_id: string }; answer: undefined };
  "POST /v1/files": { body: NewUpload; answer: BegunUpload };
  "GET /v1/files/{file_id}": { path: { file_id: string }; answer: FileAnswer };
  "GET /v1/health": { answer: shared__wire__shapes__service__Health };
  "GET /v1/held": { query: { limit?: number; cursor?: string }; answer: HeldMessages };
  "GET /v1/held/{held_id}": { path: { held_id: string }; answer: HeldForReview };
  "POST /v1/held/{held_id}/decision": { path: { held_id: string }; body: NewReview; answer: ReviewedMessage };
  "POST /v1/imports": { body: NewImport; answer: Import };
  "GET /v1/invites/{invite_token}": { path: { invite_token: string }; answer: Invitation };
  "POST /v1/invites/{invite_token}": { path: { invite_token: string }; answer: Channel };
  "GET /v1/me": { answer: Profile };
  "PUT /v1/me": { body: ProfileChange; answer: Profile };
  "GET /v1/me/export": { query: { limit?: number; cursor?: string }; answer: Export };
  "POST /v1/me/export": { answer: Job };
  "GET /v1/notifications": { answer: Notifications };
  "POST /v1/notifications": { body: NewNotification; answer: SentNotification };
  "DELETE /v1/notifications/{notification_id}": { path: { notification_id: string }; answer: undefined };
  "GET /v1/openapi.json": { answer: Document };
  "GET /v1/presence": { query: { users: string }; answer: Presences };
  "GET /v1/push/web-key": { answer: WebKey };
  "GET /v1/reminders": { answer: Reminders };
  "DELETE /v1/reminders/{reminder_id}": { path: { reminder_id: string }; answer: undefined };
  "GET /v1/reports": { query: { status?: "open" | "decided"; user?: string; limit?: number; cursor?: string }; answer: Reports };
  "POST /v1/reports": { body: ReportMade; answer: MadeReport };
  "GET /v1/reports/{report_id}": { path: { report_id: string }; answer: Report };
  "POST /v1/reports/{report_id}/decision": { path: { report_id: string }; body: NewDecision; answer: DecidedReport };
  "GET /v1/requests": { answer: JoinRequests };
  "POST /v1/tickets": { answer: Ticket };
  "GET /v1/users": { query: { prefix?: string; ids?: string; limit?: number; cursor?: string }; answer: FoundUsers };
  "POST /v1/users": { body: UserRecords; answer: Users };
  "GET /v1/users/{user_id}": { path: { user_id: string }; answer: User };
  "PUT /v1/users/{user_id}": { path: { user_id: string }; body: UserRecord; answer: User };
  "DELETE /v1/users/{user_id}": { path: { user_id: string }; answer: undefined };
  "GET /v1/users/{user_id}/ban": { path: { user_id: string }; answer: Ban };
  "PUT /v1/users/{user_id}/ban": { path: { user_id: string }; body: NewBan; answer: BanGiven };
  "DELETE /v1/users/{user_id}/ban": { path: { user_id: string }; answer: undefined };
  "GET /v1/users/{user_id}/connections": { path: { user_id: string }; answer: Connections };
  "DELETE /v1/users/{user_id}/connections": { path: { user_id: string }; answer: Closed };
  "GET /v1/users/{user_id}/erasure": { path: { user_id: string }; answer: Erasure };
  "POST /v1/users/{user_id}/erasure": { path: { user_id: string }; answer: Job };
  "GET /v1/users/{user_id}/export": { path: { user_id: string }; query: { limit?: number; cursor?: string }; answer: Export };
  "POST /v1/users/{user_id}/export": { path: { user_id: string }; answer: Job };
  "GET /v1/users/{user_id}/hold": { path: { user_id: string }; answer: Hold };
  "PUT /v1/users/{user_id}/hold": { path: { user_id: string }; body: NewHold; answer: Hold };
  "DELETE /v1/users/{user_id}/hold": { path: { user_id: string }; answer: undefined };
  "GET /v1/users/{user_id}/removal": { path: { user_id: string }; answer: Job };
  "POST /v1/users/{user_id}/removal": { path: { user_id: string }; answer: Job };
  "POST /v1/users/{user_id}/revoke": { path: { user_id: string }; body: Revocation; answer: Revoked };
  "GET /v1/users/{user_id}/shadow-ban": { path: { user_id: string }; answer: ShadowBan };
  "PUT /v1/users/{user_id}/shadow-ban": { path: { user_id: string }; body: NewShadowBan; answer: ShadowBan };
  "DELETE /v1/users/{user_id}/shadow-ban": { path: { user_id: string }; answer: undefined };
  "GET /v1/webhooks": { answer: Webhooks };
  "GET /v1/webhooks/{webhook_id}": { path: { webhook_id: string }; answer: Webhook };
  "PUT /v1/webhooks/{webhook_id}": { path: { webhook_id: string }; body: NewWebhook; answer: Webhook | WebhookWithSecret };
  "DELETE /v1/webhooks/{webhook_id}": { path: { webhook_id: string }; answer: undefined };
  "POST /v1/webhooks/{webhook_id}/replay": { path: { webhook_id: string }; body: Replay; answer: Replaying };
  "POST /v1/webhooks/{webhook_id}/rotate": { path: { webhook_id: string }; answer: WebhookWithSecret };
  "POST /v1/webhooks/{webhook_id}/test": { path: { webhook_id: string }; answer: Trying };
  "GET /v1/word-lists": { answer: WordLists };
  "PUT /v1/word-lists/{name}": { path: { name: string }; body: NewWordList; answer: WordList };
  "DELETE /v1/word-lists/{name}": { path: { name: string }; answer: undefined };
};
