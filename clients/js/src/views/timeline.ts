/** One conversation's messages as a screen shows them: a window of the log, and behind it what is on its way. */

import { asEntry, type Change } from "../core/changes.js";
import { given } from "../core/given.js";
import { asStored, type Pending } from "../core/outbox.js";
import { isKnown } from "../core/parsing.js";
import type { ChangeEntry, StoredItem } from "../store/store.js";
import type {
  DeliveryState,
  Entry,
  Failed,
  Message,
  MessageItem,
  NoticeItem,
  Receipt,
  Timeline,
  TimelineItem,
  UploadProgress,
} from "../types.js";
import { isNotice } from "./ledger.js";
import { applyChange, isChange } from "./messages.js";

/** A file that is being uploaded to be sent: it has no message yet. */
export type Upload = { message: Message; progress: UploadProgress; error?: Failed };
type Sources = { me: string | null; pending: readonly Pending[]; uploads: ReadonlyMap<string, Upload> };

export const WINDOW = 1_000;
const RECENT = 200;
const ORDER: readonly DeliveryState[] = ["sent", "delivered", "read"];
export const NOTHING: Timeline = {
  items: [],
  hasOlder: false,
  loadingOlder: false,
  hasNewer: false,
  readSeq: 0,
  receipts: {},
};

export class TimelineView {
  /** Whether what is shown was loaded, and reaches to the end of the log. */
  loaded: Promise<void> | null = null;
  atTail = true;
  /** Whether the window joins what the store has without a gap. */
  linked = true;
  loadingOlder = false;
  hasOlder = false;
  readSeq = 0;
  /** Whether `receipts` has all other members. */
  complete = false;
  receipts: Record<string, Receipt> = {};
  /** Own changes on their way. */
  overlays: Change[] = [];
  dirty = true;
  /** Own messages that are stored, and not told yet: what lies before them is still missing here. */
  readonly #untold = new Set<string>();
  readonly #places = new Map<number, StoredItem>();
  #recent: ChangeEntry[] = [];
  #cache = new Map<string, TimelineItem>();
  #shown: Timeline = NOTHING;

  constructor(readonly id: string) {}

  /** The lowest and the highest place of the window. */
  get low(): number | null {
    return this.#places.size > 0 ? Math.min(...this.#places.keys()) : null;
  }

  get high(): number {
    return this.#places.size > 0 ? Math.max(...this.#places.keys()) : 0;
  }

  get size(): number {
    return this.#places.size;
  }

  has(seq: number): boolean {
    return this.#places.has(seq);
  }

  message(seq: number): Message | undefined {
    return this.#places.get(seq)?.message;
  }

  /** An entry of the log, in its turn. */
  entry(entry: Entry): void {
    this.dirty = true;
    const { conversation_id, seq } = entry;
    if (isChange(entry)) {
      this.#recent = [...this.#recent.slice(1 - RECENT), entry];
      const item = this.#places.get(entry.message_seq);
      if (item?.message) this.#places.set(item.seq, { ...item, message: applyChange(item.message, entry) });
    } else if (isKnown(entry, "new_message")) {
      this.moveReceipt(entry.message.sender_id, seq, "read");
      if (this.atTail) this.#places.set(seq, { conversation_id, seq, message: entry.message });
    } else if (isNotice(entry)) {
      this.#members(entry);
      if (this.atTail) this.#places.set(seq, { conversation_id, seq, notice: entry });
    }
    if (this.atTail && this.#places.size > WINDOW) this.trim("oldest");
  }

  /** What was fetched, with what has been changed since it was asked for. */
  add(items: StoredItem[]): StoredItem[] {
    this.dirty = true;
    const now = items.map((item) => {
      const of = this.#recent.filter((change) => change.message_seq === item.seq);
      return item.message ? { ...item, message: of.reduce(applyChange, item.message) } : item;
    });
    for (const item of now) this.#places.set(item.seq, item);
    return now;
  }

  /** Show another part of the log. */
  reset(): void {
    this.#places.clear();
    this.dirty = true;
  }

  trim(end: "oldest" | "newest"): void {
    const seqs = [...this.#places.keys()].sort((a, b) => a - b);
    const extra = end === "oldest" ? seqs.slice(0, -WINDOW) : seqs.slice(WINDOW);
    for (const seq of extra) this.#places.delete(seq);
    if (extra.length === 0) return;
    if (end === "oldest") this.hasOlder = true;
    else this.atTail = false;
  }

  /** An own message is stored: it stays where it is until it is told. */
  acked(key: string): void {
    this.#untold.add(key);
  }

  moveReceipt(user: string, seq: number, kind: "read" | "delivered"): void {
    const { read = 0, delivered = 0 } = this.receipts[user] ?? {};
    const now = { read: kind === "read" ? Math.max(read, seq) : read, delivered: Math.max(delivered, seq) };
    if (now.read === read && now.delivered === delivered) return;
    this.receipts = { ...this.receipts, [user]: now };
    this.dirty = true;
  }

  snapshot(sources: () => Sources): Timeline {
    if (!this.dirty) return this.#shown;
    this.dirty = false;
    const { me, pending, uploads } = sources();
    const cache = new Map<string, TimelineItem>();
    const keep = (item: TimelineItem) => {
      const before = this.#cache.get(item.key);
      const same = before !== undefined && equal(before, item);
      cache.set(item.key, same ? before : item);
    };
    for (const seq of [...this.#places.keys()].sort((a, b) => a - b)) {
      const { message, notice } = this.#places.get(seq) as StoredItem;
      if (message) keep(this.#stored(message, me, uploads));
      else if (notice) keep({ kind: "notice", key: `${this.id}/${seq}`, seq, entry: notice } satisfies NoticeItem);
    }
    for (const key of this.#untold) {
      const before = this.#cache.get(key);
      if (cache.has(key) || before?.kind !== "message" || !this.atTail) this.#untold.delete(key);
      else keep({ ...before, state: "sent" });
    }
    if (this.atTail) {
      for (const item of pending) if (!cache.has(item.client_message_id)) keep(this.#pending(item, me, uploads));
      for (const [key, { message, progress, error }] of uploads) {
        if (cache.has(key) || message.conversation_id !== this.id) continue;
        const state = error === undefined ? "sending" : "failed";
        const base = { kind: "message", key, seq: null, message, mine: true, state, upload: progress } as const;
        keep(error === undefined ? base : { ...base, error });
      }
    }
    this.#cache = cache;
    const items = [...cache.values()];
    const shown = this.#shown;
    const same = items.length === shown.items.length && items.every((item, index) => item === shown.items[index]);
    const next: Timeline = {
      items: same ? shown.items : items,
      hasOlder: this.hasOlder,
      loadingOlder: this.loadingOlder,
      hasNewer: !this.atTail,
      readSeq: this.readSeq,
      receipts: this.receipts,
    };
    if (!equal(shown, next)) this.#shown = next;
    return this.#shown;
  }

  #stored(message: Message, me: string | null, uploads: ReadonlyMap<string, Upload>): MessageItem {
    const mine = message.sender_id === me;
    const own = this.overlays.filter((change) => change.seq === message.seq);
    const shown = own.reduce(
      (so, change) => applyChange(so, asEntry(change, 1, so.edited_at ?? so.created_at, me ?? "") as ChangeEntry),
      message,
    );
    const key = mine ? (message.client_message_id ?? message.id) : message.id;
    const upload = mine ? uploads.get(key)?.progress : undefined;
    return {
      kind: "message",
      key,
      seq: message.seq,
      message: shown,
      mine,
      state: mine ? this.#state(message, me) : "sent",
      ...given({
        pendingEdit: own.length > 0 || undefined,
        upload: upload?.previewUrl === undefined ? undefined : upload,
      }),
    };
  }

  #pending(item: Pending, me: string | null, uploads: ReadonlyMap<string, Upload>): MessageItem {
    const key = item.client_message_id;
    const place = { message_id: "", conversation_id: this.id, seq: 0, timestamp: item.created_at };
    const forwarded = item.body.forward_of && { forwarded: true as const };
    const message = { ...asStored(item, place, me ?? ""), ...forwarded };
    const upload = uploads.get(key)?.progress;
    const base = { kind: "message", key, seq: null, message, mine: true, ...given({ upload }) } as const;
    return item.error === undefined ? { ...base, state: "sending" } : { ...base, state: "failed", error: item.error };
  }

  /** Read when all others have read it, delivered when all have got it. */
  #state(message: Message, me: string | null): DeliveryState {
    const others = Object.entries(this.receipts).filter(([user]) => user !== me);
    const known = message.status ?? "sent";
    if (!this.complete || others.length === 0) return known;
    const all = (kind: "read" | "delivered") => others.every(([, receipt]) => receipt[kind] >= message.seq);
    const now = all("read") ? "read" : all("delivered") ? "delivered" : "sent";
    return ORDER.indexOf(now) > ORDER.indexOf(known) ? now : known;
  }

  /** What was there before they came counts as read. */
  #members(entry: NoticeItem["entry"]): void {
    if (entry.type === "member_added") for (const user of entry.users) this.moveReceipt(user, entry.seq, "read");
    if (entry.type !== "member_removed") return;
    this.receipts = Object.fromEntries(Object.entries(this.receipts).filter(([user]) => !entry.users.includes(user)));
  }
}

/** Equal as far as it is shown: objects inside are compared by what they hold. */
function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => equal((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}
