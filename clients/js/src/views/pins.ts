/** What is pinned in a conversation, as its log goes on: known once it was asked for, and followed from there. */

import { isKnown } from "../core/parsing.js";
import type { Entry, PinnedMessage } from "../types.js";
import { applyChange, isChange } from "./messages.js";

/** The latest pin first. The same list where the entry changes nothing in it; applied twice, it changes nothing. */
export function pinsAfter(pins: readonly PinnedMessage[], entry: Entry): readonly PinnedMessage[] {
  if (isChange(entry)) {
    const { message_seq: seq, type } = entry;
    if (!pins.some((pin) => pin.seq === seq)) return pins;
    if (type === "message_deleted") return without(pins, seq);
    return pins.map((pin) => {
      return pin.seq === seq && pin.message ? { ...pin, message: applyChange(pin.message, entry) } : pin;
    });
  }
  if (!isKnown(entry, "conversation_updated")) return pins;
  const { pinned, unpinned } = entry.changes;
  if (unpinned) return without(pins, unpinned);
  if (!pinned) return pins;
  return [{ seq: pinned, pinned_by: entry.user_id, pinned_at: entry.timestamp }, ...without(pins, pinned)];
}

function without(pins: readonly PinnedMessage[], seq: number): readonly PinnedMessage[] {
  return pins.filter((pin) => pin.seq !== seq);
}
