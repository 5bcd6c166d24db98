/** `@parley/client`: one user's connection to Parley, and everything that a chat shows. */

import type { Change } from "./core/changes.js";
import { Core } from "./core/core.js";
import type { Body, CoreEvent, Effect } from "./core/effects.js";
import { isObject } from "./core/parsing.js";
import type { Settings } from "./core/settings.js";
import { ParleyError } from "./errors.js";
import { type Api, makeApi } from "./http.js";
import { Files } from "./shell/files.js";
import { Runner } from "./shell/runner.js";
import { leftOf, type Token, Tokens, userOf } from "./shell/tokens.js";
import { Transport, type WebSocketLike } from "./shell/transport.js";
import { memoryStore } from "./store/memory.js";
import type { Batch, Loaded, Store } from "./store/store.js";
import type {
  Ack,
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
import type { Deps } from "./views/deps.js";
import { guarded } from "./views/guarded.js";
import { InboxView } from "./views/inbox.js";
import { Ledger } from "./views/ledger.js";
import { Presence, Typing } from "./views/people.js";
import { Timelines } from "./views/timelines.js";
import { Topics } from "./views/topics.js";

const TYPING_EVERY = 3_000;
const READ_DELAY = 150;

export type ClientOptions = {
  /** wss://…/prod */
  url: string;
  httpUrl: string;
  /** A function is asked before each connect and a minute before the end of the one before. */
  token: Token;
  /** `memoryStore()` by default. */
  store?: Store;
  /** By default where no `WebSocket` is handed in: a browser's handshake carries no headers. */
  byTicket?: boolean;
  /** For Node 20, which has none: the one of the package `ws`. */
  WebSocket?: WebSocketLike;
  fetch?: typeof fetch;
  deviceId?: string;
  settings?: Partial<Settings>;
  random?: () => number;
  newId?: () => string;
};

type Waiting = { resolve: (value: unknown) => void; reject: (error: ParleyError) => void };
type Reading = { seq: number; promise: Promise<void>; send: () => void; timer: ReturnType<typeof setTimeout> };

export class ParleyClient {
  /** The whole HTTP API: `api.get("/v1/me")`. */
  readonly api: Api;
  private core: Core;
  private runner: Runner;
  private readonly store: Store;
  private readonly tokens: Tokens;
  private readonly transport: Transport;
  private readonly files: Files;
  private readonly topics = new Topics();
  private ledger = new Ledger();
  private timelines: Timelines;
  private rows: InboxView;
  private readonly typists = new Typing(this.topics);
  private readonly people = new Presence(this.topics);
  private readonly calls = new Map<number, Waiting>();
  private readonly listeners = new Map<string, Set<(event: never) => void>>();
  private told: readonly Notification[] = [];
  private state: ConnectionState = { state: "offline" };
  private starting: Promise<void> | null = null;
  private opening = 0;
  private refusedOnce = false;
  /** The store was read: before that, what waits in it is not known. */
  private ready = false;
  private readonly reading = new Map<string, Reading>();
  private readonly wrote = new Map<string, number>();
  private watched: readonly string[] = [];
  private typingAfter = 0;

  constructor(private readonly options: ClientOptions) {
    const socket = options.WebSocket ?? (globalThis.WebSocket as WebSocketLike | undefined);
    if (socket === undefined) throw new TypeError("There is no WebSocket here: hand one in, as of the package ws");
    const fetch = options.fetch ?? ((...given) => globalThis.fetch(...given));
    this.store = options.store ?? memoryStore();
    this.tokens = new Tokens(options.token);
    this.transport = new Transport(socket);
    this.api = makeApi({
      url: options.httpUrl,
      fetch,
      token: async (fresh) => {
        if (fresh && !this.tokens.renews) return undefined;
        return fresh ? this.tokens.fresh() : this.tokens.get();
      },
    });
    this.files = new Files(this.api, fetch);
    [this.core, this.runner] = this.machine();
    [this.timelines, this.rows] = this.views();
  }

  get userId(): string | null {
    return this.core.userId;
  }

  /** Resolves when the store was read: `inbox()` and `timeline()` show it before there is a connection. */
  start(): Promise<void> {
    if (this.core.connection === "stopped") this.starting = null;
    this.starting ??= this.begin();
    return this.starting;
  }

  /** Resolves when the client has caught up; rejects where it ends before that. */
  async connected(): Promise<void> {
    void this.start().catch(() => {});
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (this.state.state !== "online" && this.state.state !== "ended") return;
        stop();
        if (this.state.state === "online") resolve();
        else reject(new ParleyError(this.state.code ?? "closed", this.state.reason ?? "The client has ended"));
      };
      const stop = this.topics.subscribe("connection", look);
      if (this.state.state === "online") look();
    });
  }

  /** Do not wait for the next try: connect now, or see whether the connection still lives. */
  reconnect(): void {
    this.core.nudge(this.runner.now());
    this.perform();
  }

  /** The end; `start` begins anew. What was not sent stays in the store. */
  async close(): Promise<void> {
    this.opening++;
    for (const { timer, send } of [...this.reading.values()]) {
      clearTimeout(timer);
      send(); // kept, and sent by the next process where not by this one
    }
    this.typists.clear();
    this.core.stop();
    this.perform();
    this.transport.close();
    this.runner.stop();
    for (const { progress } of this.timelines.uploads.values()) {
      if (progress.previewUrl !== undefined) URL.revokeObjectURL(progress.previewUrl);
    }
    this.leaveBrowser();
  }

  /** Forget all that is kept here: at signing out, or where the server's log was reset (`log_lost`). Close it first. */
  async forget(): Promise<void> {
    await this.store.clear();
  }

  // --- what is shown: the same object until something in it has changed

  connection(): ConnectionState {
    return this.state;
  }

  inbox(): Inbox {
    return this.rows.get();
  }

  conversation(id: string): InboxItem | undefined {
    return this.rows.row(id);
  }

  /** A window of the conversation's messages: the latest 50 at first. It is loaded where it is subscribed to or opened. */
  timeline(id: string): Timeline {
    return this.timelines.get(id);
  }

  /** Who writes there at the moment. */
  typing(id: string): readonly string[] {
    return this.typists.get(id);
  }

  /** How a watched user is; undefined while that is not known. */
  presence(user: string): PresenceState {
    return this.people.get(user);
  }

  /** What the user was told and has not acknowledged. */
  notifications(): readonly Notification[] {
    return this.told;
  }

  /** Be told when that has changed. Returns how to end it. */
  subscribe(topic: Topic, listener: () => void): () => void {
    const stop = this.topics.subscribe(topic, listener);
    if (topic.startsWith("timeline:")) void this.timelines.ensure(topic.slice("timeline:".length)).catch(() => {});
    return stop;
  }

  /** Hear of each entry (once, in order), of other events, and of what was refused. Returns how to end it. */
  on<E extends keyof ClientEvents>(type: E, listener: (event: ClientEvents[E]) => void): () => void {
    const listeners = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  // --- what the application asks for

  /** Shown at once, sent when that is possible, stored once. Throws for what could never be sent. */
  send(where: Where, content: string | null, more: SendMore = {}): Sending {
    this.checkReady();
    const { client_message_id, forward_of, ...rest } = more;
    if ((content === null && rest.file_id === undefined) !== (forward_of !== undefined)) {
      throw new ParleyError("bad_request", "A message has words, a file, or both; or else it forwards another");
    }
    const { reply_to, mentions, file_id, message_type = "text" } = rest;
    const body: Body = {
      ...(forward_of === undefined ? { content: content ?? "", message_type } : { forward_of }),
      ...(reply_to === undefined ? {} : { reply_to }),
      ...(mentions === undefined || mentions.length === 0 ? {} : { mentions: [...new Set(mentions)] }),
      ...(file_id === undefined ? {} : { file_id }),
    };
    const { call, item } = this.core.send(where, body, this.runner.now(), Date.now(), client_message_id);
    return this.sending(call, item);
  }

  /** A refused message once more. */
  resend(client_message_id: string): Sending {
    this.checkReady();
    const { call, item } = this.core.resend(client_message_id, this.runner.now());
    return this.sending(call, item);
  }

  /** Let a refused message, or a file that could not be uploaded, go. */
  discard(client_message_id: string): void {
    const where = this.core.unacked.find((item) => item.client_message_id === client_message_id)?.conversation_id;
    const upload = this.timelines.uploads.get(client_message_id);
    this.timelines.uploads.delete(client_message_id);
    this.core.discard(client_message_id);
    this.timelines.touch(where ?? upload?.message.conversation_id ?? null);
    this.perform();
  }

  edit(conversation_id: string, seq: number, content: string): Promise<Changed> {
    return this.change({ type: "edit", conversation_id, seq, content });
  }

  delete(conversation_id: string, seq: number): Promise<Changed> {
    return this.change({ type: "delete", conversation_id, seq });
  }

  react(
    conversation_id: string,
    seq: number,
    emoji: string,
    more: { remove?: boolean; user_id?: string } = {},
  ): Promise<Changed> {
    return this.change({ type: "react", conversation_id, seq, emoji, remove: false, ...more });
  }

  /** The conversation on screen: heartbeats compare it, and its timeline is kept loaded. */
  open(conversation_id: string | null): void {
    this.core.openConversation = conversation_id;
    if (conversation_id !== null) void this.timelines.ensure(conversation_id).catch(() => {});
  }

  /** Everything up to `seq` was seen. What is marked within a moment goes out as one. */
  markRead(conversation_id: string, seq: number): Promise<void> {
    const before = this.reading.get(conversation_id);
    const read = Math.max(this.rows.row(conversation_id)?.read_seq ?? 0, this.timeline(conversation_id).readSeq);
    if (before !== undefined) before.seq = Math.max(before.seq, seq);
    if (before !== undefined || seq <= read) return before?.promise ?? Promise.resolve();
    this.hasRead(conversation_id, seq);
    this.topics.flush();
    let send = () => {};
    const promise = new Promise<void>((resolve, reject) => {
      send = () => {
        const upto = this.reading.get(conversation_id)?.seq ?? seq;
        this.reading.delete(conversation_id);
        this.hasRead(conversation_id, upto);
        this.call(() => this.core.mark("read", conversation_id, upto, this.runner.now())).then(() => resolve(), reject);
      };
    });
    promise.catch(() => {}); // who does not wait for it sees the connection's state
    this.reading.set(conversation_id, { seq, promise, send, timer: setTimeout(send, READ_DELAY) });
    return promise;
  }

  /** To be called with each key stroke: it goes out every few seconds, and when it ends. */
  setTyping(conversation_id: string, active: boolean): void {
    const now = this.runner.now();
    const last = this.wrote.get(conversation_id);
    if (
      !this.core.isServed ||
      now < this.typingAfter ||
      (active ? last !== undefined && now < last + TYPING_EVERY : last === undefined)
    ) {
      return;
    }
    if (active) this.wrote.set(conversation_id, now);
    else this.wrote.delete(conversation_id);
    this.call(() => this.core.request({ type: "typing", conversation_id, active }, now)).catch((error: ParleyError) => {
      if (error.code === "rate_limited") this.typingAfter = this.runner.now() + (error.retryAfterMs ?? TYPING_EVERY);
    });
  }

  /** Whose presence to show from now on: at most 100 users. */
  watch(users: readonly string[]): void {
    const wanted = [...new Set(users)].sort();
    if (JSON.stringify(wanted) === JSON.stringify(this.watched)) return;
    this.watched = wanted;
    if (this.ready && this.core.connection !== "stopped") {
      this.call(() => this.core.watch(wanted, this.runner.now())).catch(() => {});
    }
  }

  loadOlder(conversation_id: string): Promise<void> {
    return this.timelines.loadOlder(conversation_id);
  }

  loadNewer(conversation_id: string): Promise<void> {
    return this.timelines.loadNewer(conversation_id);
  }

  /** Show the part of the log around a message. */
  jumpTo(conversation_id: string, seq: number): Promise<void> {
    return this.timelines.jumpTo(conversation_id, seq);
  }

  jumpToLatest(conversation_id: string): Promise<void> {
    return this.timelines.jumpToLatest(conversation_id);
  }

  loadMoreInbox(): Promise<void> {
    return this.rows.more();
  }

  refreshInbox(): Promise<void> {
    return this.rows.refresh();
  }

  /** Store a file, and wait for the server's check of it. */
  upload(file: Blob | Uint8Array, options: UploadOptions): Promise<FileOut> {
    return this.files.upload(file, options);
  }

  /** Upload a file and send it. It is in the timeline at once, with how far it is. */
  sendFile(where: Where, file: Blob | Uint8Array, options: UploadOptions & { caption?: string } & SendMore): Sending {
    const { caption, name, content_type, kind, onProgress, signal, client_message_id, ...more } = options;
    const id = client_message_id ?? this.newId();
    this.checkReady();
    const conversation_id = "to" in where ? this.core.privateWith(where.to) : where.conversation_id;
    const blob = file instanceof Blob ? file : new Blob([file as Uint8Array<ArrayBuffer>]);
    const contentType = content_type ?? blob.type;
    const isImage = kind !== "file" && contentType.startsWith("image/");
    const previewUrl = isImage && typeof document !== "undefined" ? URL.createObjectURL(blob) : undefined;
    const progress = { done: 0, total: blob.size, name, contentType, ...(previewUrl ? { previewUrl } : {}) };
    const message = {
      id: "",
      conversation_id: conversation_id ?? "",
      seq: 0,
      sender_id: this.userId ?? "",
      content: caption ?? "",
      type: isImage ? ("image" as const) : ("file" as const),
      created_at: Date.now(),
      client_message_id: id,
    };
    const show = (upload: Parameters<Timelines["uploads"]["set"]>[1]) => {
      this.timelines.uploads.set(id, upload);
      this.timelines.touch(conversation_id);
      this.topics.flush();
    };
    show({ message, progress });
    const told = (done: number, total: number) => {
      if (this.timelines.uploads.has(id)) show({ message, progress: { ...progress, done, total } });
      onProgress?.(done, total);
    };
    const given = { name, onProgress: told, ...(content_type ? { content_type } : {}), ...(kind ? { kind } : {}) };
    const stored = this.files.upload(blob, { ...given, ...(signal ? { signal } : {}) }).then(
      (found) => {
        const body = { ...more, file_id: found.file_id, message_type: found.kind, client_message_id: id };
        const { stored } = this.send(where, caption ?? "", body);
        if (previewUrl === undefined) this.timelines.uploads.delete(id);
        return stored;
      },
      (error: ParleyError) => {
        const { code, reason, retryable } = error;
        show({ message, progress, error: { code, error: reason, retryable } });
        throw error;
      },
    );
    stored.catch(() => {});
    return { client_message_id: id, stored };
  }

  /** A file and its links, which are asked for again once they have ended. */
  fileLinks(file_id: string): Promise<FileOut> {
    return this.files.get(file_id);
  }

  /** The user was told: not again, on no device. */
  async acknowledge(notification_id: string): Promise<void> {
    await this.api.delete("/v1/notifications/{notification_id}", { path: { notification_id } });
    this.told = this.told.filter((each) => each.id !== notification_id);
    this.topics.touch("notifications");
    this.core.acknowledged(notification_id, this.runner.now());
    this.perform();
    this.topics.flush();
  }

  // --- inside

  private machine(loaded?: Loaded): [Core, Runner] {
    const core = new Core({
      newId: () => this.newId(),
      random: this.options.random ?? Math.random,
      overHttp: true,
      ...(this.options.settings ? { settings: this.options.settings } : {}),
      ...(loaded === undefined ? {} : { saved: loaded.saved }),
    });
    const runner = new Runner(core, this.store, this.ledger, {
      effect: (effect) => this.do(effect),
      settled: () => this.topics.flush(),
    });
    return [core, runner];
  }

  private views(): [Timelines, InboxView] {
    const { core, runner, store, api, topics, ledger } = this;
    const deps: Deps = { core, store, api, topics, ledger, keep: (add: (batch: Batch) => void) => runner.keep(add) };
    const timelines = new Timelines(deps);
    const rows = new InboxView(deps);
    rows.unreadBehind = (id, seq) => {
      const { items, hasOlder } = timelines.get(id);
      const others = items.filter((item) => item.kind === "message" && !item.mine && (item.seq ?? 0) > seq);
      return hasOlder && items.length === others.length ? Infinity : others.length;
    };
    return [timelines, rows];
  }

  private async begin(): Promise<void> {
    const { opening } = this;
    const loaded = await this.store.load();
    if (opening !== this.opening) return; // closed meanwhile
    const { openConversation } = this.core;
    this.ledger = new Ledger();
    this.ledger.restore(loaded.from, loaded.saved.conversations);
    try {
      [this.core, this.runner] = this.machine(loaded);
    } catch (error) {
      const { code, reason } = error as ParleyError;
      this.show({ state: "ended", code, reason });
      this.topics.flush();
      throw error;
    }
    const subscribed = this.timelines;
    [this.timelines, this.rows] = this.views();
    this.rows.restore(loaded.rows);
    this.core.openConversation = openConversation;
    this.ready = true;
    this.joinBrowser();
    this.core.start();
    if (this.watched.length > 0) this.call(() => this.core.watch(this.watched, this.runner.now())).catch(() => {});
    for (const id of subscribed.ids()) void this.timelines.ensure(id).catch(() => {});
    this.perform();
    this.topics.touch("inbox");
    this.topics.flush();
  }

  private perform(): void {
    this.runner.perform();
  }

  private newId(): string {
    return this.options.newId?.() ?? crypto.randomUUID();
  }

  /** Ask the core for something, and wait for how it ends. */
  private call(ask: () => number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.checkReady();
      const call = ask();
      this.calls.set(call, { resolve, reject });
      this.perform();
    });
  }

  private checkReady(): void {
    if (!this.ready) throw new ParleyError("closed", "Start the client first", true);
  }

  private sending(call: number, item: { client_message_id: string; conversation_id: string | null }): Sending {
    const stored = this.call(() => call) as Promise<Ack>;
    stored.catch(() => {}); // who does not wait for it sees it in the timeline
    const { client_message_id, conversation_id } = item;
    if (conversation_id !== null && !(this.timelines.peek(conversation_id)?.atTail ?? true)) {
      void this.timelines.jumpToLatest(conversation_id).catch(() => {});
    }
    this.timelines.touch(conversation_id);
    if (conversation_id !== null) this.timelines.get(conversation_id); // in sight from here on
    this.topics.flush();
    return { client_message_id, stored };
  }

  /** Shown at once, and taken back where the server refuses it. */
  private async change(change: Change): Promise<Changed> {
    const answer = this.call(() => this.core.change(change, this.runner.now())) as Promise<Changed>;
    this.timelines.overlay(change, true);
    this.topics.flush();
    try {
      return await answer;
    } finally {
      this.timelines.overlay(change, false);
      this.topics.flush();
    }
  }

  private hasRead(id: string, seq: number): void {
    this.rows.read(id, seq);
    this.timelines.read(id, seq);
  }

  private do(effect: Effect): void {
    switch (effect.type) {
      case "connect":
        void this.connect(++this.opening);
        break;
      case "disconnect":
        this.opening++;
        this.transport.close();
        break;
      case "renew":
        void this.renew();
        break;
      case "ask_notifications":
        void this.askNotifications(effect.number);
        break;
      case "transmit":
        this.transport.send(effect.frame);
        break;
      case "done":
        this.calls.get(effect.call)?.resolve(effect.value);
        this.calls.delete(effect.call);
        break;
      case "failed":
        this.calls.get(effect.call)?.reject(effect.error);
        this.calls.delete(effect.call);
        break;
      case "event":
        this.hear(effect.event);
        break;
    }
  }

  private async connect(opening: number): Promise<void> {
    const { core, options } = this;
    let token: string;
    let url = options.url;
    const headers: Record<string, string> = {};
    const query = new URLSearchParams();
    try {
      token = await this.tokens.fresh();
      if (opening !== this.opening) return;
      const user = userOf(token);
      if (user !== null) core.identify(user);
      if (options.byTicket ?? options.WebSocket === undefined) {
        query.set("ticket", (await this.api.post("/v1/tickets")).ticket);
      } else {
        headers.authorization = `Bearer ${token}`;
      }
    } catch (error) {
      if (opening === this.opening) this.notConnected(error);
      return;
    }
    if (opening !== this.opening) return;
    if (options.deviceId !== undefined) query.set("device_id", options.deviceId);
    if (query.size > 0) url += `?${query}`;
    this.transport.open(url, headers, {
      open: () => {
        this.refusedOnce = false;
        const left = this.tokens.renews ? leftOf(token, Date.now()) : null;
        core.connected(this.runner.now(), left);
        this.perform();
      },
      frame: (frame) => {
        core.receive(frame, this.runner.now());
        this.perform();
      },
      lost: (reason, status) => {
        if (status === 401 || status === 403) this.notConnected(new ParleyError("forbidden", reason, false, 0, status));
        else core.lost(this.runner.now(), reason);
        this.perform();
      },
    });
  }

  /** Refused with a token that was fresh: another try with another one, and then the user has to sign in again. */
  private notConnected(error: unknown): void {
    const known = error instanceof ParleyError ? error : null;
    const reason = error instanceof Error ? error.message : "There is no token";
    if (known?.code === "wrong_user") {
      this.core.stop(known);
    } else if (known?.status === 401 || known?.status === 403) {
      if (this.refusedOnce || !this.tokens.renews) this.core.stop(known);
      else this.core.lost(this.runner.now(), known.reason, known.code);
      this.refusedOnce = true;
    } else {
      this.core.lost(this.runner.now(), known?.reason ?? reason);
    }
    this.perform();
  }

  private async renew(): Promise<void> {
    const { core } = this;
    try {
      const token = await this.tokens.fresh();
      core.renew(token, this.tokens.renews ? leftOf(token, Date.now()) : null, this.runner.now());
    } catch {
      core.notRenewed(this.runner.now());
    }
    this.perform();
  }

  private async askNotifications(number: number): Promise<void> {
    const { core } = this;
    try {
      const { notifications } = await this.api.get("/v1/notifications");
      core.notified(number, notifications, this.runner.now());
    } catch (error) {
      core.notNotified(number, error as ParleyError, this.runner.now());
    }
    this.perform();
  }

  private hear(event: CoreEvent): void {
    switch (event.type) {
      case "entry":
        if (event.entry.type === "new_message") {
          const { sender_id } = (event.entry as { message: { sender_id: string } }).message;
          this.typists.set(event.entry.conversation_id, sender_id, false);
        }
        this.timelines.entry(event.entry);
        this.rows.entry(event.entry);
        this.tell("entry", event.entry);
        break;
      case "ephemeral":
        this.hearOf(event.event);
        break;
      case "presences":
        for (const user of event.users) if (isObject(user)) this.people.set(user);
        break;
      case "notification":
        this.told = [...this.told, event.notification];
        this.topics.touch("notifications");
        break;
      case "membership_lost":
        this.rows.remove(event.conversation_id);
        this.tell("membership_lost", { conversation_id: event.conversation_id });
        break;
      case "send_failed": {
        const { client_message_id, conversation_id, error } = event;
        this.timelines.touch(conversation_id);
        this.tell("send_failed", { client_message_id, conversation_id, error });
        break;
      }
      case "acked":
        this.timelines.acked(event.conversation_id, event.client_message_id);
        break;
      case "synced":
        for (const state of event.conversations) this.rows.synced(state);
        break;
      case "connection":
        this.hearOfConnection(event);
        break;
    }
  }

  private hearOf(event: { type: string; [field: string]: unknown }): void {
    const { type, conversation_id: id, user_id: user, seq } = event;
    if (type === "presence" && typeof user === "string") {
      const { status, last_seen } = event as unknown as { status: "online"; last_seen: null };
      this.people.set({ user_id: user, status, last_seen });
    } else if (typeof id === "string" && typeof user === "string") {
      if (type === "typing" && user !== this.userId) this.typists.set(id, user, event.active !== false);
      if ((type === "read" || type === "delivered") && typeof seq === "number") {
        if (user !== this.userId) this.timelines.receipt(id, user, seq, type);
        else if (type === "read") this.hasRead(id, seq);
      }
    }
    this.tell("event", event);
  }

  private hearOfConnection(event: Extract<CoreEvent, { type: "connection" }>): void {
    const { state, reason, code, retryIn } = event;
    this.show({
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(code === undefined ? {} : { code }),
      ...(retryIn === undefined ? {} : { retryAt: Date.now() + retryIn }),
    });
    if (state === "offline" || state === "ended") {
      this.typists.clear();
      this.wrote.clear();
    }
    if (state === "ended") {
      this.opening++;
      this.transport.close();
    }
    if (state === "online") {
      void this.rows.refresh().catch(() => {});
      this.timelines.refresh();
    }
  }

  private show(state: ConnectionState): void {
    this.state = state;
    this.topics.touch("connection");
  }

  private tell<E extends keyof ClientEvents>(type: E, event: ClientEvents[E]): void {
    const listeners = [...(this.listeners.get(type) ?? [])] as ((event: ClientEvents[E]) => void)[];
    for (const listener of listeners) guarded(() => listener(event));
  }

  // --- the browser says when it is on no network, and when on one again, and when its page is looked at

  private readonly nudge = (): void => {
    if (document.visibilityState !== "hidden") this.reconnect();
  };

  private readonly cutOff = (): void => {
    this.core.cutOff(this.runner.now());
    this.perform();
  };

  private joinBrowser(): void {
    if (typeof window === "undefined") return;
    window.addEventListener("offline", this.cutOff);
    window.addEventListener("online", this.nudge);
    document.addEventListener("visibilitychange", this.nudge);
  }

  private leaveBrowser(): void {
    if (typeof window === "undefined") return;
    window.removeEventListener("offline", this.cutOff);
    window.removeEventListener("online", this.nudge);
    document.removeEventListener("visibilitychange", this.nudge);
  }
}
