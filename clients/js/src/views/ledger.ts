/** What of each log is in the store without a gap, and how an entry gets there. */

import { isKnown } from "../core/parsing.js";
import type { Batch } from "../store/store.js";
import type { Entry } from "../types.js";
import { isChange } from "./messages.js";

export class Ledger {
  /** Everything from there to where the client holds it is in the store. */
  readonly from = new Map<string, number>();
  private readonly tail = new Map<string, number>();

  restore(from: [string, number][], held: { id: string; held: number | null }[]): void {
    for (const [id, seq] of from) this.from.set(id, seq);
    for (const each of held) if (each.held !== null) this.tail.set(each.id, each.held);
  }

  /** An entry that is passed on next. Where it does not follow (the user was away from the group), what was before is history. */
  keep(entry: Entry, batch: Batch): void {
    const { conversation_id: id, seq } = entry;
    if (!this.from.has(id) || this.tail.get(id) !== seq - 1) this.reach(id, seq, batch);
    this.tail.set(id, seq);
    if (isKnown(entry, "new_message")) batch.items.push({ conversation_id: id, seq, message: entry.message });
    else if (isChange(entry)) batch.changes.push(entry);
    else if (isNotice(entry)) batch.items.push({ conversation_id: id, seq, notice: entry });
  }

  reach(id: string, seq: number, batch: Batch): void {
    this.from.set(id, seq);
    batch.from.push([id, seq]);
  }
}

type Notice = Extract<Entry, { type: "member_added" | "member_removed" | "conversation_updated" }>;

export function isNotice(entry: Entry): entry is Notice {
  return isKnown(entry, "member_added") || isKnown(entry, "member_removed") || isKnown(entry, "conversation_updated");
}
