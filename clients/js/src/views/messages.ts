/** What an entry does to a message: the same for every client that has seen the same log. */

import { given } from "../core/given.js";
import type { ChangeEntry } from "../store/store.js";
import type { Entry, Message } from "../types.js";

const CHANGES = new Set(["message_edited", "message_deleted", "reaction"]);

export function isChange(entry: Entry): entry is ChangeEntry {
  return CHANGES.has(entry.type);
}

/** The message with the change in it; the same object where that changes nothing. Applied twice, it changes nothing. */
export function applyChange(message: Message, entry: ChangeEntry): Message {
  if (message.deleted_at !== undefined) return message;
  if (entry.type === "message_deleted") return deleted(message, entry.timestamp);
  if (entry.type === "message_edited") {
    if (entry.content === null) return message; // a later entry says how it reads now
    if (message.content === entry.content && message.edited_at === entry.timestamp) return message;
    const { content_cut: _, data, ...rest } = message;
    const { content, timestamp: edited_at, content_cut, data: hung = data } = entry;
    return { ...rest, content, edited_at, ...given({ content_cut, data: hung ?? undefined }) };
  }
  // It came with counts: whose they are is not known here, and so not which one changes.
  if (message.reaction_total !== undefined) return message;
  const users = message.reactions?.[entry.emoji] ?? [];
  if (users.includes(entry.user_id) !== entry.removed) return message;
  const now = entry.removed ? users.filter((user) => user !== entry.user_id) : [...users, entry.user_id].sort();
  const { [entry.emoji]: __, ...others } = message.reactions ?? {};
  const reactions = now.length > 0 ? { ...message.reactions, [entry.emoji]: now } : others;
  const { reactions: ___, ...plain } = message;
  return Object.keys(reactions).length > 0 ? { ...plain, reactions } : plain;
}

/** A deleted message has its place, its author and its times, and nothing else. */
function deleted(message: Message, at: number): Message {
  const { id, conversation_id, seq, sender_id, type, created_at, client_message_id } = message;
  const named = given({ client_message_id });
  return { id, conversation_id, seq, sender_id, content: null, type, created_at, ...named, deleted_at: at };
}
