/** `@parley/client/admin`: what a team's server asks of Parley with a token of the scope `admin`. Not for pages: the token opens everything. */

import type { Attachments, Data } from "./generated/frames.js";
import type {
  AuditRow,
  Ban,
  BanGiven,
  Broadcast,
  ConversationHold,
  DecidedReport,
  Erasure,
  Export,
  HeldForReview,
  Hold,
  Import,
  Job,
  LiveConnection,
  NewBroadcast,
  NewDecision,
  NewNotification,
  NewWebhook,
  NewWordList,
  Replay,
  Report,
  SentMessage,
  SentNotification,
  ShadowBan,
  User,
  UserRecord,
  Webhook,
  WebhookWithSecret,
  WordList,
} from "./generated/http.js";
import { type Api, makeApi } from "./http.js";
import { findUsers, getUser, inParts, orNull } from "./more/people.js";
import { type Token, Tokens } from "./shell/tokens.js";

export { ParleyError } from "./errors.js";
export type {
  AuditRow,
  Ban,
  BanGiven,
  Broadcast,
  ConversationHold,
  Erasure,
  Export,
  HeldForReview,
  Hold,
  Import,
  Job,
  LiveConnection,
  NewBroadcast,
  NewDecision,
  NewNotification,
  NewWebhook,
  NewWordList,
  Replay,
  Report,
  User,
  UserRecord,
  Webhook,
  WebhookWithSecret,
  WordList,
};

export type AdminOptions = {
  httpUrl: string;
  /** A JWT of the scope `admin`, or a function that gives one: asked again where the one before was refused. */
  token: Token;
  fetch?: typeof fetch;
  /** An answer that takes longer (ms) counts as none. */
  longest?: number;
};
export type SystemMessage = {
  data?: Data;
  attachments?: Attachments;
  /** With an id of your own it is safe to send it again: it is stored once. */
  client_message_id?: string;
};
/** `from` and `to` in ms, the latter not within; `user`: who did it, as whom, or to whom. */
export type AuditQuery = { from?: number; to?: number; user?: string };

const MOST = 100;
/** In ms, where nothing else is said. */
const LONGEST = 20_000;

export class ParleyAdmin {
  /** The whole HTTP API, typed: `api.get("/v1/audit")`. */
  readonly api: Api;
  readonly #options: AdminOptions;
  readonly #tokens: Tokens;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#tokens = new Tokens(options.token, options.longest ?? LONGEST);
    this.api = this.#api({});
  }

  /** The API as another user: each request is theirs, and leaves a row in the audit. */
  as(user: string): Api {
    return this.#api({ "parley-as": user });
  }

  // --- the directory

  /** What is left out stays, null clears. */
  putUser(user_id: string, record: UserRecord): Promise<User> {
    return this.api.put("/v1/users/{user_id}", { path: { user_id }, body: record });
  }

  /** Any number of them, a hundred at a time. After an error it is safe to repeat. */
  async putUsers(records: readonly (UserRecord & { user_id: string })[]): Promise<User[]> {
    const done: User[] = [];
    for (const part of inParts(records, MOST)) {
      done.push(...(await this.api.post("/v1/users", { body: { users: part } })).users);
    }
    return done;
  }

  /** Null for one of whom nothing is known. */
  user(user_id: string): Promise<User | null> {
    return getUser(this, user_id);
  }

  /** All users a word of whose name begins so, by name. */
  async *find(prefix: string): AsyncGenerator<User, void> {
    for await (const page of pages((place) => findUsers(this, prefix, place))) yield* page.users;
  }

  /** The record goes; what the user wrote stays. Safe to repeat. */
  deleteUser(user_id: string): Promise<undefined> {
    return this.api.delete("/v1/users/{user_id}", { path: { user_id } });
  }

  // --- who is let in

  /** Keep a user out until `until` (ms), or for good. Resolves when their connections are closed. */
  ban(user_id: string, ban: { until?: number | null; reason?: string } = {}): Promise<BanGiven> {
    return this.api.put("/v1/users/{user_id}/ban", { path: { user_id }, body: ban });
  }

  unban(user_id: string): Promise<undefined> {
    return this.api.delete("/v1/users/{user_id}/ban", { path: { user_id } });
  }

  /** Null for who is not banned now. */
  banOf(user_id: string): Promise<Ban | null> {
    return orNull(this.api.get("/v1/users/{user_id}/ban", { path: { user_id } }));
  }

  /** Tokens that were issued before `issued_before` (ms) are refused from now on, and what they opened is closed. */
  revoke(user_id: string, issued_before = Date.now()): Promise<{ issued_before: number; closed: number }> {
    return this.api.post("/v1/users/{user_id}/revoke", { path: { user_id }, body: { issued_before } });
  }

  /** The live connections, the oldest first. */
  async connections(user_id: string): Promise<LiveConnection[]> {
    return (await this.api.get("/v1/users/{user_id}/connections", { path: { user_id } })).connections;
  }

  /** Close them all; resolves with how many there were. The user's tokens stay good. */
  async disconnect(user_id: string): Promise<number> {
    return (await this.api.delete("/v1/users/{user_id}/connections", { path: { user_id } })).closed;
  }

  // --- what the team says

  /** A `system` message: the team's own words, in a conversation that the token's user, or `as`, is in. */
  sendSystem(
    conversation_id: string,
    content: string,
    { as, ...more }: SystemMessage & { as?: string } = {},
  ): Promise<SentMessage> {
    const api = as === undefined ? this.api : this.as(as);
    const sent = api.post("/v1/conversations/{conversation_id}/messages", {
      path: { conversation_id },
      body: { content, message_type: "system", ...more },
    });
    return sent as Promise<SentMessage>; // words of the team's are never held
  }

  /** Tell 1 to 100 users something (scope `notifications:send`). With a `notification_id` of your own it is safe to repeat. */
  notify(notification: NewNotification): Promise<SentNotification> {
    return this.api.post("/v1/notifications", { body: notification });
  }

  /** Tell everybody who is connected, and with `store` everybody who is known. With a `broadcast_id` of your own it is safe to repeat. */
  broadcast(broadcast: NewBroadcast): Promise<Broadcast> {
    return this.api.post("/v1/broadcasts", { body: broadcast });
  }

  /** All of them, the latest first. */
  async *broadcasts(): AsyncGenerator<Broadcast, void> {
    for await (const page of pages((place) => this.api.get("/v1/broadcasts", { query: place }))) yield* page.broadcasts;
  }

  /** How far it is. */
  broadcastOf(broadcast_id: string): Promise<Broadcast> {
    return this.api.get("/v1/broadcasts/{broadcast_id}", { path: { broadcast_id } });
  }

  /** `cancel` is for good. */
  steer(broadcast_id: string, how: "pause" | "resume" | "cancel"): Promise<Broadcast> {
    return this.api.post(`/v1/broadcasts/{broadcast_id}/${how}`, { path: { broadcast_id } });
  }

  // --- a user's rights over their data

  /** Begin to collect all that is stored of a user, or go on with it. */
  exportUser(user_id: string): Promise<Job> {
    return this.api.post("/v1/users/{user_id}/export", { path: { user_id } });
  }

  /** Begin to erase a user and all that they wrote, for good. Refused while a legal hold stands. */
  eraseUser(user_id: string): Promise<Job> {
    return this.api.post("/v1/users/{user_id}/erasure", { path: { user_id } });
  }

  /** Where that is, and once it is done links to its files; null where there is none. */
  exportOf(user_id: string, query: { cursor?: string } = {}): Promise<Export | null> {
    return orNull(this.api.get("/v1/users/{user_id}/export", { path: { user_id }, query }));
  }

  /** Where an erasure is, and once it is done what a scan has found to be left; null where there is none. */
  erasureOf(user_id: string): Promise<Erasure | null> {
    return orNull(this.api.get("/v1/users/{user_id}/erasure", { path: { user_id } }));
  }

  /** Begin to remove all messages of a user, or go on with it. */
  removeMessages(user_id: string): Promise<Job> {
    return this.api.post("/v1/users/{user_id}/removal", { path: { user_id } });
  }

  removalOf(user_id: string): Promise<Job | null> {
    return orNull(this.api.get("/v1/users/{user_id}/removal", { path: { user_id } }));
  }

  /** A legal hold: nothing of the user is erased while it stands. */
  hold(user_id: string, reason = ""): Promise<Hold> {
    return this.api.put("/v1/users/{user_id}/hold", { path: { user_id }, body: { reason } });
  }

  holdOf(user_id: string): Promise<Hold | null> {
    return orNull(this.api.get("/v1/users/{user_id}/hold", { path: { user_id } }));
  }

  endHold(user_id: string): Promise<undefined> {
    return this.api.delete("/v1/users/{user_id}/hold", { path: { user_id } });
  }

  /** A legal hold: nothing of the conversation goes by its retention, an erasure or a removal while it stands. */
  holdConversation(conversation_id: string, reason = ""): Promise<ConversationHold> {
    return this.api.put("/v1/conversations/{conversation_id}/hold", { path: { conversation_id }, body: { reason } });
  }

  conversationHoldOf(conversation_id: string): Promise<ConversationHold | null> {
    return orNull(this.api.get("/v1/conversations/{conversation_id}/hold", { path: { conversation_id } }));
  }

  endConversationHold(conversation_id: string): Promise<undefined> {
    return this.api.delete("/v1/conversations/{conversation_id}/hold", { path: { conversation_id } });
  }

  /** History from elsewhere, a line each; the same lines again are `duplicates`. */
  importLines(lines: readonly Record<string, unknown>[]): Promise<Import> {
    return this.api.post("/v1/imports", { body: { lines: [...lines] } });
  }

  // --- what users report (the scope `moderation` is enough)

  /** Reports, the newest first: those that wait, those that are decided, or all about one user. */
  async *reports(query: { status?: "open" | "decided"; user?: string } = {}): AsyncGenerator<Report, void> {
    const ask = (place: Place) => this.api.get("/v1/reports", { query: { ...query, ...place } });
    for await (const page of pages(ask)) yield* page.reports;
  }

  report(report_id: string): Promise<Report | null> {
    return orNull(this.api.get("/v1/reports/{report_id}", { path: { report_id } }));
  }

  /** Dismiss it, delete the message, or ban who is reported. The same again completes what died half-way. */
  decide(report_id: string, decision: NewDecision): Promise<DecidedReport> {
    return this.api.post("/v1/reports/{report_id}/decision", { path: { report_id }, body: decision });
  }

  /** Messages that wait for review, the oldest first. */
  async *held(): AsyncGenerator<HeldForReview, void> {
    for await (const page of pages((place) => this.api.get("/v1/held", { query: place }))) yield* page.held;
  }

  heldMessage(held_id: string): Promise<HeldForReview | null> {
    return orNull(this.api.get("/v1/held/{held_id}", { path: { held_id } }));
  }

  /** Let it through, or not; `reason` is told to its sender. */
  review(held_id: string, decision: "approve" | "reject", reason?: string): Promise<HeldForReview> {
    const body = { decision, ...(reason !== undefined && { reason }) };
    return this.api.post("/v1/held/{held_id}/decision", { path: { held_id }, body });
  }

  /** Others see nothing of what the user writes from now on, and the user does not notice. */
  shadowBan(user_id: string, reason?: string): Promise<ShadowBan> {
    const body = reason === undefined ? {} : { reason };
    return this.api.put("/v1/users/{user_id}/shadow-ban", { path: { user_id }, body });
  }

  endShadowBan(user_id: string): Promise<undefined> {
    return this.api.delete("/v1/users/{user_id}/shadow-ban", { path: { user_id } });
  }

  /** null for who is seen by all. */
  shadowBanOf(user_id: string): Promise<ShadowBan | null> {
    return orNull(this.api.get("/v1/users/{user_id}/shadow-ban", { path: { user_id } }));
  }

  async wordLists(): Promise<WordList[]> {
    return (await this.api.get("/v1/word-lists")).lists;
  }

  /** What becomes of messages with these words: block, mask or hold. */
  putWordList(name: string, list: NewWordList): Promise<WordList> {
    return this.api.put("/v1/word-lists/{name}", { path: { name }, body: list });
  }

  deleteWordList(name: string): Promise<undefined> {
    return this.api.delete("/v1/word-lists/{name}", { path: { name } });
  }

  // --- events out

  async webhooks(): Promise<Webhook[]> {
    return (await this.api.get("/v1/webhooks")).webhooks;
  }

  webhook(webhook_id: string): Promise<Webhook | null> {
    return orNull(this.api.get("/v1/webhooks/{webhook_id}", { path: { webhook_id } }));
  }

  /** The first time there is a `secret` in the answer, this once. */
  putWebhook(webhook_id: string, webhook: NewWebhook): Promise<Webhook | WebhookWithSecret> {
    return this.api.put("/v1/webhooks/{webhook_id}", { path: { webhook_id }, body: webhook });
  }

  deleteWebhook(webhook_id: string): Promise<undefined> {
    return this.api.delete("/v1/webhooks/{webhook_id}", { path: { webhook_id } });
  }

  /** Another secret; the one before is good a while longer. */
  rotateSecret(webhook_id: string): Promise<WebhookWithSecret> {
    return this.api.post("/v1/webhooks/{webhook_id}/rotate", { path: { webhook_id } });
  }

  /** Send again what happened since a moment (ms), or in one conversation from an entry on. */
  async replay(webhook_id: string, from: Replay): Promise<string> {
    return (await this.api.post("/v1/webhooks/{webhook_id}/replay", { path: { webhook_id }, body: from })).id;
  }

  /** Send it an event that says that it is a try. */
  async tryWebhook(webhook_id: string): Promise<string> {
    return (await this.api.post("/v1/webhooks/{webhook_id}/test", { path: { webhook_id } })).id;
  }

  // --- what was done

  /** What administrators did, the newest first; ask for as many as are wanted. */
  async *audit(query: AuditQuery = {}): AsyncGenerator<AuditRow, void> {
    const ask = (place: Place) => this.api.get("/v1/audit", { query: { ...query, ...place } });
    for await (const page of pages(ask)) yield* page.rows;
  }

  #api(more: Record<string, string>): Api {
    const { httpUrl, fetch: own, longest = LONGEST } = this.#options;
    const tokens = this.#tokens;
    return makeApi({
      url: httpUrl,
      fetch: (input, given) =>
        (own ?? globalThis.fetch)(input, { ...given, headers: { ...(given?.headers as object), ...more } }),
      longest,
      token: async (fresh) => {
        if (fresh && !tokens.renews) return undefined;
        return fresh ? tokens.fresh() : tokens.get();
      },
    });
  }
}

type Place = { limit: number; cursor?: string };

/** All pages of a listing, the next one when it is asked for. */
async function* pages<P extends { next_cursor: string | null }>(
  ask: (place: Place) => Promise<P>,
): AsyncGenerator<P, void> {
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await ask({ limit: MOST, ...(cursor && { cursor }) });
    yield page;
    cursor = page.next_cursor;
  }
}
