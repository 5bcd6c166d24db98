/** Where a client keeps what has to survive its page or process: its place in every log, what waits to be sent, and what it shows. */

import type { Save, Saved } from "../core/effects.js";
import type { InboxItem, KnownEntry, Message, NoticeItem } from "../types.js";

export type { Save, Saved, SavedConversation, SavedCursor, SavedMessage, SavedMeta } from "../core/effects.js";

/** One place of a log that is shown: a message as it is now, or a notice. */
export type StoredItem = { conversation_id: string; seq: number; message?: Message; notice?: NoticeItem["entry"] };
/** A row of the inbox; the higher its rank, the farther up. */
export type StoredRow = { row: InboxItem; rank: number };
export type ChangeEntry = Extract<KnownEntry, { message_seq: number }>;

/**
 * All or nothing of it is kept. `changes` are applied to the stored messages that they are about. `from`: everything of the
 * conversation's log from there to where the client holds it is among the items.
 */
export type Batch = {
  saves: Save[];
  items: StoredItem[];
  changes: ChangeEntry[];
  rows: StoredRow[];
  dropRows: string[];
  from: [id: string, seq: number][];
};
export type Loaded = { saved: Saved; rows: StoredRow[]; from: [id: string, seq: number][] };
export type Range = { before?: number; after?: number; limit: number };

/**
 * To make one of your own: `load` gives back what all `write`s have put together, and nothing of one that has not resolved. Of `saves`,
 * `meta` and `cursors` replace what was there where they are present; `conversations` are put by their `id`, `put` by its
 * `client_message_id`, which `drop` takes away. Items are put by conversation and seq, rows by the id of their `row`, `from` by its first.
 */
export interface Store {
  /** What a client begins with. Where it rejects, the client ends as `not_saved` and says why. */
  load(): Promise<Loaded>;
  /** What is told to the application or the server is told after this: it resolves when it would survive a restart. */
  write(batch: Batch): void | Promise<void>;
  /** Ascending: the last `limit` below `before`, or the first above `after`. */
  items(conversationId: string, range: Range): Promise<StoredItem[]>;
  /** Forget everything. */
  clear(): Promise<void>;
  close(): void;
}

export function emptyBatch(): Batch {
  return { saves: [], items: [], changes: [], rows: [], dropRows: [], from: [] };
}
