/** What stands in the list of messages: the items of the timeline, with the days and the line of what is new between them. */
import type { MessageItem, NoticeItem, TimelineItem } from "@parley/client";

/** Messages of one sender that follow within this time stand together. */
const TOGETHER_MS = 5 * 60_000;

export type Row =
  | { kind: "day"; key: string; at: number }
  | { kind: "unread"; key: string }
  | { kind: "notice"; key: string; item: NoticeItem }
  | { kind: "message"; key: string; item: MessageItem; isFirst: boolean; isLast: boolean };

function timeOf(item: TimelineItem): number {
  return item.kind === "message" ? item.message.created_at : item.entry.timestamp;
}

function isTogether(one: TimelineItem | undefined, next: TimelineItem | undefined): boolean {
  return (
    one?.kind === "message" &&
    next?.kind === "message" &&
    one.message.sender_id === next.message.sender_id &&
    Math.abs(next.message.created_at - one.message.created_at) < TOGETHER_MS
  );
}

/** `unreadFrom`: what was read when the conversation was opened; the line stands before the first message of others behind it. */
export function rowsOf(items: readonly TimelineItem[], unreadFrom: number | null): Row[] {
  const rows: Row[] = [];
  let day = "";
  let hasLine = unreadFrom === null;
  for (const [index, item] of items.entries()) {
    const at = timeOf(item);
    const today = new Date(at).toDateString();
    const isNewDay = today !== day;
    if (isNewDay) rows.push({ kind: "day", key: `day ${today}`, at });
    day = today;
    if (!hasLine && item.kind === "message" && !item.mine && (item.seq ?? 0) > (unreadFrom ?? 0)) {
      rows.push({ kind: "unread", key: "unread" });
      hasLine = true;
    }
    if (item.kind === "notice") {
      rows.push({ kind: "notice", key: item.key, item });
      continue;
    }
    const before = rows.at(-1);
    const isFirst = before?.kind !== "message" || !isTogether(items[index - 1], item);
    if (before?.kind === "message") before.isLast = isFirst;
    rows.push({ kind: "message", key: item.key, item, isFirst, isLast: true });
  }
  return rows;
}
