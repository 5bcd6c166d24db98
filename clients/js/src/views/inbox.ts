/** The inbox: the server's rows, kept up to date by what happens meanwhile. */

import type { SyncState } from "../core/effects.js";
import { given } from "../core/given.js";
import { isKnown, isObject } from "../core/parsing.js";
import type { StoredRow } from "../store/store.js";
import type { Entry, Inbox, InboxItem, UserChanged } from "../types.js";
import type { Deps } from "./deps.js";
import { applyChange, isChange } from "./messages.js";
import { pinsAfter } from "./pins.js";

const PAGE = 50;

export class InboxView {
  readonly #rows = new Map<string, StoredRow>();
  #cursor: string | null = null;
  #loaded = false;
  #rank = 0;
  #shown: Inbox = { items: [], loaded: false, hasMore: false, unread: 0 };
  #dirty = false;
  readonly #asked = new Map<string, Promise<void>>();
  #refreshing: Promise<void> | null = null;

  constructor(private readonly deps: Deps) {}

  restore(rows: StoredRow[]): void {
    for (const row of rows) this.#rows.set(row.row.id, row);
    this.#rank = Math.max(0, ...rows.map((row) => row.rank));
    this.#loaded = rows.length > 0;
    this.#dirty = true;
  }

  get(): Inbox {
    if (!this.#dirty) return this.#shown;
    this.#dirty = false;
    const items = [...this.#rows.values()].sort((a, b) => b.rank - a.rank).map((each) => each.row);
    const unread = items.reduce((sum, row) => sum + row.unread, 0);
    const [shown, loaded] = [this.#shown, this.#loaded];
    const hasMore = this.#cursor !== null;
    const same = items.length === shown.items.length && items.every((row, index) => row === shown.items[index]);
    if (same && shown.loaded === loaded && shown.hasMore === hasMore) return shown;
    this.#shown = { items, loaded, hasMore, unread };
    return this.#shown;
  }

  row(id: string): InboxItem | undefined {
    return this.#rows.get(id)?.row;
  }

  /** The first page anew: what is newest, and what other devices have changed. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#page(undefined).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async more(): Promise<void> {
    if (this.#cursor !== null) await this.#page(this.#cursor);
  }

  /** One conversation anew. */
  async ask(id: string): Promise<void> {
    const asked = this.#asked.get(id) ?? this.#one(id).finally(() => this.#asked.delete(id));
    this.#asked.set(id, asked);
    await asked;
  }

  entry(entry: Entry): void {
    const { conversation_id: id, seq } = entry;
    const known = this.#rows.get(id)?.row;
    if (known === undefined) {
      void this.ask(id);
      return;
    }
    const me = this.deps.core.userId;
    let row: InboxItem = known.pins ? { ...known, pins: pinsAfter(known.pins, entry) } : known;
    let rank: number | undefined;
    if (seq <= row.head) {
      this.#set(row); // the server's row is ahead of the log
      return;
    }
    row = { ...row, head: seq };
    if (isKnown(entry, "new_message")) {
      const mine = entry.message.sender_id === me;
      row = { ...row, last_message: entry.message, unread: mine ? 0 : row.unread + 1 };
      rank = ++this.#rank;
    } else if (isChange(entry)) {
      const last = row.last_message;
      if (last !== null && last.seq === entry.message_seq) row = { ...row, last_message: applyChange(last, entry) };
    } else if (isKnown(entry, "conversation_updated")) {
      const role = me === null ? undefined : entry.changes.roles?.[me];
      const { roles: _, members: __, pinned: ___, unpinned: ____, ...said } = entry.changes;
      row = { ...row, ...said, role: role ?? row.role } as InboxItem;
      if (role) void this.ask(id); // what it may
    } else if (isKnown(entry, "member_added") || isKnown(entry, "member_removed")) {
      void this.ask(id); // how many there are now
    }
    this.#set(row, rank);
  }

  /** Where a sync says the own cursor stands, and how much is unread, as of the log's head there. */
  synced(state: SyncState): void {
    const row = this.#rows.get(state.id)?.row; // one that is not loaded comes with its page
    if (row !== undefined && state.head >= row.head)
      this.#set({ ...row, read_seq: state.read_seq, unread: state.unread });
  }

  /** What was set for a conversation, or that it is hidden, on any device. */
  own({ what, value }: UserChanged): void {
    const row = this.#rows.get(String(value.conversation_id))?.row;
    if (what === "settings" && row !== undefined && isObject(value.settings)) this.#set({ ...row, ...value.settings });
    if (what !== "hidden") return;
    if (value.hidden === false) void this.ask(String(value.conversation_id));
    else if (row !== undefined && row.head <= Number(value.head)) this.remove(row.id);
  }

  /** What is no part of the server's rows, and was asked for. */
  note(id: string, more: Pick<InboxItem, "pins" | "permissions">): void {
    const row = this.row(id);
    if (row) this.#set({ ...row, ...more });
    this.deps.topics.flush();
  }

  /** The own cursor has moved: here, or on another device. */
  read(id: string, seq: number): void {
    const row = this.#rows.get(id)?.row;
    if (row === undefined || seq <= row.read_seq) return;
    const last = row.last_message?.seq ?? 0;
    let unread = 0;
    if (seq < last) {
      const items = this.deps.core.openConversation === id ? this.unreadBehind(id, seq) : row.unread;
      unread = Math.min(row.unread, items);
    }
    this.#set({ ...row, read_seq: seq, delivered_seq: Math.max(row.delivered_seq, seq), unread });
  }

  /** It has not moved after all: as in `before`, with what has come since. */
  unread(id: string, before: InboxItem, read_seq: number): void {
    const row = this.#rows.get(id)?.row;
    if (row === undefined) return;
    this.#set({ ...row, read_seq, delivered_seq: before.delivered_seq, unread: before.unread + row.unread });
  }

  unreadBehind: (id: string, seq: number) => number = () => Infinity;

  remove(id: string): void {
    if (!this.#rows.delete(id)) return;
    this.deps.keep((batch) => batch.dropRows.push(id));
    this.#touch(id);
  }

  async #page(cursor: string | undefined): Promise<void> {
    const before = [...this.#rows.keys()];
    const { api, base: application } = this.deps;
    const versions = application.hears("versions") || undefined;
    const page = await api.get("/v1/conversations", { query: { limit: PAGE, ...given({ cursor, versions }) } });
    if (page.versions !== undefined) application.tell("versions", page.versions);
    this.#cursor = page.next_cursor;
    const rows = page.conversations;
    const lowest = Math.min(0, ...[...this.#rows.values()].map((each) => each.rank));
    // the first page goes above all, later ones below
    const base = cursor === undefined ? this.#rank : lowest - rows.length - 1;
    rows.forEach((row, index) => {
      this.#set(this.#merged(row), base + rows.length - index);
    });
    if (cursor === undefined) this.#rank += rows.length;
    this.#loaded = true;
    if (cursor === undefined && page.next_cursor === null) this.#dropAllBut(rows, before);
    this.#dirty = true;
    this.deps.topics.touch("inbox");
    this.deps.topics.flush();
  }

  /** All there is was on the page: what was here before and is not on it was hidden or left elsewhere. */
  #dropAllBut(rows: InboxItem[], before: string[]): void {
    const ids = new Set(rows.map((row) => row.id));
    for (const id of before) if (!ids.has(id)) this.remove(id);
  }

  async #one(id: string): Promise<void> {
    try {
      const path = { conversation_id: id };
      const row = await this.deps.api.get("/v1/conversations/{conversation_id}", { path });
      if (this.deps.core.isOver(id)) return;
      this.#set(this.#merged(row), this.#rows.has(id) ? undefined : ++this.#rank);
      this.deps.topics.flush();
    } catch {
      // the next refresh brings it
    }
  }

  /** An answer may be older than what has come live since it was asked for. */
  #merged(row: InboxItem): InboxItem {
    const known = this.#rows.get(row.id)?.row;
    const { pins, permissions } = known ?? {};
    const named = { ...given({ pins, permissions }), ...row, role: row.role ?? known?.role ?? null };
    if (known === undefined || known.head <= row.head) return named;
    const { head, last_message, unread, read_seq } = known;
    return { ...named, head, last_message, unread, read_seq: Math.max(read_seq, row.read_seq) };
  }

  #set(row: InboxItem, rank?: number): void {
    const before = this.#rows.get(row.id);
    const same = before !== undefined && JSON.stringify(before.row) === JSON.stringify(row);
    const now = { row: same ? before.row : row, rank: rank ?? before?.rank ?? ++this.#rank };
    if (same && before.rank === now.rank) return;
    this.#rows.set(row.id, now);
    this.deps.keep((batch) => batch.rows.push(now));
    if (same) this.#dirty = true;
    else this.#touch(row.id);
  }

  #touch(id: string): void {
    this.#dirty = true;
    this.deps.topics.touch("inbox");
    this.deps.topics.touch(`conversation:${id}`);
  }
}
