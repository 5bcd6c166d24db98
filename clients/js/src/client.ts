/** `@parley/client`: one user's connection to Parley, and everything that a chat shows. */

import { Base, type ClientOptions } from "./base.js";
import { MAX_WATCHED } from "./core/settings.js";
import { ParleyError } from "./errors.js";
import type { Data } from "./generated/frames.js";
import type { Api } from "./http.js";
import type { SendFileOptions } from "./outgoing.js";
import { Session } from "./session.js";
import { within } from "./shell/deadline.js";
import type {
  Changed,
  ClientEvents,
  ConnectionState,
  FileOut,
  Inbox,
  InboxItem,
  Notification,
  PresenceState,
  Sending,
  SendMore,
  Timeline,
  Topic,
  UploadOptions,
  Where,
} from "./types.js";

/** `close` waits for so long (ms) for a store that does not answer. */
const LONGEST_END = 2_000;

export class ParleyClient {
  /** The whole HTTP API: `api.get("/v1/me")`. */
  readonly api: Api;
  readonly #base: Base;
  #session: Session;
  #starting: Promise<void> | null = null;
  #starts = 0;

  constructor(options: ClientOptions) {
    this.#base = new Base(options);
    this.api = this.#base.api;
    this.#session = new Session(this.#base);
  }

  get userId(): string | null {
    return this.#session.core.userId;
  }

  /**
   * Resolves when the store was read: `inbox()` and `timeline()` show it before there is a connection. Rejects, and `connection()`
   * says why, where the store can't be read or is another user's; it can be called again.
   */
  start(): Promise<void> {
    if (this.#session.isOver) this.#starting = null;
    this.#starting ??= this.#begin();
    return this.#starting;
  }

  /** Resolves when the client has caught up; rejects where it ends before that. */
  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const { state, code = "closed", reason = "The client has ended" } = this.connection();
        if (state !== "online" && state !== "ended") return;
        stop();
        if (state === "online") resolve();
        else reject(new ParleyError(code, reason));
      };
      const started = this.start();
      const stop = this.#base.topics.subscribe("connection", look);
      started.then(look, (error) => {
        stop();
        reject(error);
      });
    });
  }

  /** Do not wait for the next try: connect now, or see whether the connection still lives. */
  reconnect(): void {
    this.#session.reconnect();
  }

  /** The end; `start` begins anew. What was not sent stays in the store: this resolves when it is there. */
  async close(): Promise<void> {
    this.#starts++;
    const session = this.#session;
    await within(session.end(), LONGEST_END, "The store").catch((error) => session.runner.abandon(error));
  }

  /** Forget all that is kept here: at signing out, or where the server's log was reset (`log_lost`). Close it first. */
  async forget(): Promise<void> {
    await this.#base.store.clear();
  }

  // --- what is shown: the same object until something in it has changed

  connection(): ConnectionState {
    return this.#base.state;
  }

  inbox(): Inbox {
    return this.#session.rows.get();
  }

  conversation(id: string): InboxItem | undefined {
    return this.#session.rows.row(id);
  }

  /** A window of the conversation's messages: the latest 50 at first. It is loaded where it is subscribed to or opened. */
  timeline(id: string): Timeline {
    return this.#session.timelines.get(id);
  }

  /** Who writes there at the moment. */
  typing(id: string): readonly string[] {
    return this.#base.typists.get(id);
  }

  /** How a watched user is; undefined while that is not known. */
  presence(user: string): PresenceState {
    return this.#base.people.get(user);
  }

  /** What the user was told and has not acknowledged. */
  notifications(): readonly Notification[] {
    return this.#base.told;
  }

  /** Be told when that has changed. Returns how to end it. */
  subscribe(topic: Topic, listener: () => void): () => void {
    const stop = this.#base.topics.subscribe(topic, listener);
    if (topic.startsWith("timeline:")) this.#load(topic.slice("timeline:".length));
    return stop;
  }

  /** Hear of each entry (once, in order), of other events, and of what was refused. Returns how to end it. */
  on<E extends keyof ClientEvents>(type: E, listener: (event: ClientEvents[E]) => void): () => void {
    return this.#base.on(type, listener);
  }

  // --- what the application asks for

  /** Shown at once, sent when that is possible, stored once. Throws for what could never be sent. */
  send(where: Where, content: string | null, more: SendMore = {}): Sending {
    return this.#session.outgoing.send(where, content, more);
  }

  /** A refused message, or a file that could not be uploaded, once more. */
  resend(client_message_id: string): Sending {
    return this.#session.outgoing.resend(client_message_id);
  }

  /** Let a refused message go, or a file that is not sent yet: its upload ends, and `stored` rejects as `aborted`. */
  discard(client_message_id: string): void {
    this.#session.outgoing.discard(client_message_id);
  }

  /** With `data` the message has that instead of what it had; null takes it off. */
  edit(conversation_id: string, seq: number, content: string, data?: Data | null): Promise<Changed> {
    return this.#session.change({ type: "edit", conversation_id, seq, content, data });
  }

  delete(conversation_id: string, seq: number): Promise<Changed> {
    return this.#session.change({ type: "delete", conversation_id, seq });
  }

  react(
    conversation_id: string,
    seq: number,
    emoji: string,
    more: { remove?: boolean; user_id?: string } = {},
  ): Promise<Changed> {
    return this.#session.change({ type: "react", conversation_id, seq, emoji, remove: false, ...more });
  }

  /** The conversation on screen: heartbeats compare it, and its timeline is kept loaded. */
  open(conversation_id: string | null): void {
    this.#session.core.openConversation = conversation_id;
    if (conversation_id !== null) this.#load(conversation_id);
  }

  /** Everything up to `seq` was seen. What is marked within a moment goes out as one. */
  markRead(conversation_id: string, seq: number): Promise<void> {
    return this.#session.reading.mark(conversation_id, seq);
  }

  /**
   * The same without waiting until the server knows, which costs less: it goes out with the next message of the conversation, or in a
   * while, and over reconnects. What the server refuses of it is let go.
   */
  noteRead(conversation_id: string, seq: number): void {
    this.#session.reading.note(conversation_id, seq);
  }

  /** To be called with each key stroke: it goes out every few seconds, and when it ends. */
  setTyping(conversation_id: string, active: boolean): void {
    this.#session.typing.set(conversation_id, active);
  }

  /** Whose presence to show from now on, and of no others. Throws for more than 100 users; rejects where the server refuses them. */
  watch(users: readonly string[]): Promise<void> {
    const wanted = [...new Set(users)].sort();
    if (wanted.length > MAX_WATCHED) {
      throw new ParleyError("bad_request", `At most ${MAX_WATCHED} users can be watched`);
    }
    if (JSON.stringify(wanted) === JSON.stringify(this.#base.watched)) return Promise.resolve();
    this.#base.watched = wanted;
    const asked = this.#session.watch();
    asked.catch(() => {}); // who does not wait for it sees that nothing is known of them
    return asked;
  }

  loadOlder(conversation_id: string): Promise<void> {
    return this.#session.timelines.loadOlder(conversation_id);
  }

  loadNewer(conversation_id: string): Promise<void> {
    return this.#session.timelines.loadNewer(conversation_id);
  }

  /** Show the part of the log around a message. */
  jumpTo(conversation_id: string, seq: number): Promise<void> {
    return this.#session.timelines.jumpTo(conversation_id, seq);
  }

  jumpToLatest(conversation_id: string): Promise<void> {
    return this.#session.timelines.jumpToLatest(conversation_id);
  }

  loadMoreInbox(): Promise<void> {
    return this.#session.rows.more();
  }

  refreshInbox(): Promise<void> {
    return this.#session.rows.refresh();
  }

  /** Keep with a row of the inbox what was asked for beside it: `pins` and `may` of `@parley/client/more` do. */
  note(conversation_id: string, more: Pick<InboxItem, "pins" | "permissions">): void {
    this.#session.rows.note(conversation_id, more);
  }

  /** Resolves when the server has checked it: its `file_id` can be sent. */
  upload(file: Blob | Uint8Array, options: UploadOptions): Promise<FileOut> {
    return this.#base.files.upload(file, options);
  }

  /** Upload and send. It is in the timeline from the start, with how far it is. */
  sendFile(where: Where, file: Blob | Uint8Array, options: SendFileOptions): Sending {
    return this.#session.outgoing.sendFile(where, file, options);
  }

  /** A file and its links, which are asked for again once they have ended. */
  fileLinks(file_id: string): Promise<FileOut> {
    return this.#base.files.get(file_id);
  }

  /** The user was told: not again, on no device. */
  async acknowledge(notification_id: string): Promise<void> {
    const base = this.#base;
    const session = this.#session;
    await this.api.delete("/v1/notifications/{notification_id}", { path: { notification_id } });
    base.told = base.told.filter((each) => each.id !== notification_id);
    base.topics.touch("notifications");
    session.core.acknowledged(notification_id, session.runner.now());
    session.perform();
    base.topics.flush();
  }

  // --- inside

  async #begin(): Promise<void> {
    const base = this.#base;
    const start = ++this.#starts;
    try {
      const loaded = await within(this.#read(), base.settings.answerTimeout, "What the store has").catch((error) => {
        throw new ParleyError(
          "not_saved",
          `The store can't be read: ${error instanceof Error ? error.message : error}`,
        );
      });
      if (start !== this.#starts) return; // closed meanwhile
      const before = this.#session;
      this.#session = new Session(base, loaded);
      this.#session.begin(before);
    } catch (error) {
      const ended = ParleyError.of(error, "not_saved", false);
      if (start === this.#starts) {
        this.#starting = null;
        base.show({ state: "ended", code: ended.code, reason: ended.reason });
        base.topics.flush();
      }
      throw ended;
    }
  }

  async #read() {
    return this.#base.store.load();
  }

  #load(conversation_id: string): void {
    void this.#session.timelines.ensure(conversation_id).catch(() => {});
  }
}
