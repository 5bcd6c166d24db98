/** The timelines that are looked at, and how they are loaded: from the store where it has them, else from the server's history. */

import type { Change } from "../core/changes.js";
import type { StoredItem } from "../store/store.js";
import type { Entry, Message, NoticeItem, Timeline } from "../types.js";
import type { Deps } from "./deps.js";
import { NOTHING, TimelineView, type Upload, WINDOW } from "./timeline.js";

const PAGE = 50;
const KEPT = 30; // timelines that nobody looks at
const UNLOADED: Timeline = { ...NOTHING, loadingOlder: true };

export class Timelines {
  readonly uploads = new Map<string, Upload>();
  readonly #views = new Map<string, TimelineView>();

  constructor(private readonly deps: Deps) {}

  get(id: string): Timeline {
    const view = this.#views.get(id);
    return view === undefined ? UNLOADED : view.snapshot(() => this.#sources(id));
  }

  peek(id: string): TimelineView | undefined {
    return this.#views.get(id);
  }

  ids(): string[] {
    return [...this.#views.keys()];
  }

  /** Somebody looks at it: load its end. */
  async ensure(id: string): Promise<void> {
    let view = this.#views.get(id);
    if (view === undefined) {
      view = new TimelineView(id);
      this.#views.set(id, view);
      this.#forgetOld();
    }
    await this.#loaded(view);
  }

  /** What could not be read from the store is read when it is asked for again. */
  async #loaded(view: TimelineView): Promise<void> {
    view.loaded ??= this.#load(view);
    try {
      await view.loaded;
    } catch (error) {
      view.loaded = null;
      throw error;
    }
  }

  /** The connection is back: what could not be loaded is tried again. */
  refresh(): void {
    for (const view of this.#views.values()) {
      if (!view.complete) void this.#receipts(view);
      if (view.loaded === null) void this.#loaded(view).catch(() => {});
      if (view.loaded === null || !view.atTail || !view.linked) continue;
      if (!this.deps.ledger.from.has(view.id)) view.loaded = view.loaded.then(() => this.#again(view)).catch(() => {});
      else if (view.size < PAGE && view.hasOlder) void this.#older(view).catch(() => {});
    }
  }

  entry(entry: Entry): void {
    this.#change(entry.conversation_id, (view) => view.entry(entry));
  }

  acked(id: string, key: string): void {
    this.#change(id, (view) => view.acked(key));
  }

  receipt(id: string, user: string, seq: number, kind: "read" | "delivered"): void {
    this.#change(id, (view) => view.moveReceipt(user, seq, kind));
  }

  read(id: string, seq: number): void {
    this.#change(id, (view) => {
      view.readSeq = Math.max(view.readSeq, seq);
    });
  }

  unread(id: string, seq: number): void {
    this.#change(id, (view) => {
      view.readSeq = seq;
    });
  }

  /** How many messages of others are in sight behind it; Infinity where there may be more. */
  unreadBehind(id: string, seq: number): number {
    const { items, hasOlder } = this.get(id);
    const others = items.filter((item) => item.kind === "message" && !item.mine && (item.seq ?? 0) > seq);
    return hasOlder && items.length === others.length ? Infinity : others.length;
  }

  overlay(change: Change, on: boolean): void {
    this.#change(change.conversation_id, (view) => {
      const rest = view.overlays.filter((each) => each !== change);
      view.overlays = on ? [...rest, change] : rest;
    });
  }

  /** Something that it is made of has changed. */
  touch(id: string | null): void {
    if (id !== null) this.#change(id, () => {});
  }

  async loadOlder(id: string): Promise<void> {
    await this.ensure(id);
    const view = this.#views.get(id) as TimelineView;
    if (view.loadingOlder || !view.hasOlder) return;
    await this.#older(view);
  }

  async loadNewer(id: string): Promise<void> {
    await this.ensure(id);
    const view = this.#views.get(id) as TimelineView;
    if (view.atTail) return;
    const after = view.high;
    if (view.linked) {
      const items = await this.deps.store.items(id, { after, limit: PAGE });
      view.add(items);
      view.atTail = items.length < PAGE;
    } else {
      const page = await this.#history(id, { after });
      view.add(page.items);
      if (!page.has_more) await this.#join(view);
    }
    if (view.size > WINDOW) view.trim("oldest");
    this.touch(id);
    this.deps.topics.flush();
  }

  async jumpTo(id: string, seq: number): Promise<void> {
    await this.ensure(id);
    const view = this.#views.get(id) as TimelineView;
    if (view.has(seq)) return;
    const [older, newer] = await Promise.all([
      this.#history(id, { before: seq + 1, limit: PAGE / 2 }),
      this.#history(id, { after: seq, limit: PAGE / 2 }),
    ]);
    view.reset();
    view.linked = view.atTail = false;
    view.hasOlder = older.has_more;
    view.add([...older.items, ...newer.items]);
    if (!newer.has_more) await this.#join(view);
    this.touch(id);
    this.deps.topics.flush();
  }

  async jumpToLatest(id: string): Promise<void> {
    const view = this.#views.get(id);
    if (view === undefined || view.atTail) return this.ensure(id);
    view.reset();
    view.atTail = view.linked = true;
    view.loaded = null;
    await this.#loaded(view);
  }

  #sources(id: string) {
    const { core } = this.deps;
    return {
      me: core.userId,
      pending: core.unacked.filter((item) => item.conversation_id === id),
      uploads: this.uploads,
    };
  }

  #change(id: string, how: (view: TimelineView) => void): void {
    const view = this.#views.get(id);
    if (view === undefined) return;
    how(view);
    view.dirty = true;
    this.deps.topics.touch(`timeline:${id}`);
  }

  async #load(view: TimelineView): Promise<void> {
    const { store, ledger, topics } = this.deps;
    const from = ledger.from.get(view.id);
    const found = await store.items(view.id, { before: Infinity, limit: PAGE });
    const items = found.filter((item) => from !== undefined && item.seq >= from);
    view.add(items);
    view.hasOlder = from === undefined || from > 1 || items.length === PAGE;
    this.touch(view.id);
    topics.flush();
    void this.#receipts(view);
    if (items.length < PAGE && view.hasOlder) await this.#older(view).catch(() => {}); // `refresh` tries again
  }

  async #older(view: TimelineView): Promise<void> {
    const { ledger, topics } = this.deps;
    if (view.loadingOlder) return;
    view.loadingOlder = true;
    this.touch(view.id);
    topics.flush();
    try {
      const from = ledger.from.get(view.id);
      const below = view.low ?? (view.linked ? from : undefined);
      if (view.linked && from !== undefined && below !== undefined && from < below) {
        const found = await this.deps.store.items(view.id, { before: below, limit: PAGE });
        const items = found.filter((item) => item.seq >= from);
        view.add(items);
        view.hasOlder = from > 1 || items.length === PAGE;
        if (items.length > 0) return;
      }
      await this.#olderFromServer(view, view.linked && from !== undefined ? from : below);
    } finally {
      view.loadingOlder = false;
      if (view.size > WINDOW) view.trim("newest");
      this.touch(view.id);
      topics.flush();
    }
  }

  /** The end of the log once more: it was fetched before it was known where the client's own log begins. */
  async #again(view: TimelineView): Promise<void> {
    await this.#olderFromServer(view, undefined);
    this.touch(view.id);
    this.deps.topics.flush();
  }

  async #olderFromServer(view: TimelineView, before: number | undefined): Promise<void> {
    const { core, ledger } = this.deps;
    // the page joins what is told from then on, or what is in the store: only then is nothing missing behind it
    const joins = before === undefined ? core.held(view.id) !== null : before === ledger.from.get(view.id);
    const page = await this.#history(view.id, before === undefined ? {} : { before });
    const first = page.items[0]?.seq ?? 0;
    if (before === undefined && first > view.high) view.reset(); // what lies between is not here
    if (view.low === null || first <= view.low) view.hasOlder = page.has_more;
    const items = view.add(page.items);
    if (!view.linked || !joins) return;
    const low = page.has_more ? (items[0]?.seq ?? before ?? 1) : 1;
    this.deps.keep((batch) => {
      batch.items.push(...items);
      ledger.reach(view.id, low, batch);
    });
  }

  /** The window has come to the end of the log: what has come since is in the store. */
  async #join(view: TimelineView): Promise<void> {
    view.atTail = true;
    const from = this.deps.ledger.from.get(view.id);
    if (from === undefined) return;
    const newer = await this.deps.store.items(view.id, { after: Math.max(view.high, from - 1), limit: WINDOW });
    view.add(newer);
    view.linked = view.low !== null && view.low >= from;
  }

  async #history(id: string, query: { before?: number; after?: number; limit?: number }) {
    const path = { conversation_id: id };
    const page = await this.deps.api.get("/v1/conversations/{conversation_id}/messages", {
      path,
      query: { limit: PAGE, notices: true, ...query },
    });
    const items = page.messages.map((message): StoredItem => {
      return { conversation_id: id, seq: message.seq, message: message as Message };
    });
    for (const notice of page.notices ?? []) {
      const entry = notice as NoticeItem["entry"];
      items.push({ conversation_id: id, seq: entry.seq, notice: entry });
    }
    items.sort((a, b) => a.seq - b.seq);
    return { items, has_more: page.has_more };
  }

  async #receipts(view: TimelineView): Promise<void> {
    try {
      const path = { conversation_id: view.id };
      const { members } = await this.deps.api.get("/v1/conversations/{conversation_id}/members", { path });
      const me = this.deps.core.userId;
      for (const member of members) {
        if (member.user_id === me) view.readSeq = Math.max(view.readSeq, member.read_seq);
        else {
          view.moveReceipt(member.user_id, member.delivered_seq, "delivered");
          view.moveReceipt(member.user_id, member.read_seq, "read");
        }
      }
      view.complete = true;
      this.touch(view.id);
      this.deps.topics.flush();
    } catch {
      // `refresh` tries again
    }
  }

  #forgetOld(): void {
    const idle = [...this.#views.keys()].filter(
      (id) => !this.deps.topics.has(`timeline:${id}`) && id !== this.deps.core.openConversation,
    );
    for (const id of idle.slice(0, Math.max(0, idle.length - KEPT))) this.#views.delete(id);
  }
}
