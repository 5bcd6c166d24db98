/** One row of the list: a day, the line of what is new, a notice, or a message. */
import type { NoticeItem, Timeline } from "@parley/client";
import { memo } from "react";
import { useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { MessageRow } from "./message";
import type { Row } from "./rows";

interface Props {
  row: Row;
  conversation: string;
  receipts: Timeline["receipts"];
}

export const TimelineRow = memo(function TimelineRow({ row, conversation, receipts }: Props) {
  const { t, day } = useI18n();
  switch (row.kind) {
    case "day":
      return (
        <p className="day">
          <span>{day(row.at)}</span>
        </p>
      );
    case "unread":
      return (
        <p className="new-line">
          <span>{t("chat.newMessages")}</span>
        </p>
      );
    case "notice":
      return <Notice item={row.item} />;
    case "message":
      return (
        <MessageRow
          item={row.item}
          isFirst={row.isFirst}
          isLast={row.isLast}
          conversation={conversation}
          receipts={receipts}
        />
      );
  }
}, isSame);

/** Rows are made anew with each change of the list; what they show is mostly the same. */
function isSame(one: Props, next: Props): boolean {
  if (one.conversation !== next.conversation || one.row.kind !== next.row.kind || one.row.key !== next.row.key)
    return false;
  if (one.row.kind === "message" && next.row.kind === "message") {
    return one.row.item === next.row.item && one.row.isFirst === next.row.isFirst && one.row.isLast === next.row.isLast;
  }
  return one.row.kind !== "notice" || next.row.kind !== "notice" || one.row.item === next.row.item;
}

function Notice({ item: { entry } }: { item: NoticeItem }) {
  const { t, list } = useI18n();
  const { nameOf } = usePeople();
  const who = nameOf(entry.user_id);
  const texts: string[] = [];
  if (entry.type === "member_added") {
    const users = list(entry.users.filter((user) => !entry.name || user !== entry.user_id).map(nameOf));
    if (entry.name) texts.push(t("notice.created", { who, name: entry.name }));
    if (users) texts.push(t("notice.added", { who, users }));
  } else if (entry.type === "member_removed") {
    const left = entry.users.length === 1 && entry.users[0] === entry.user_id;
    texts.push(left ? t("notice.left", { who }) : t("notice.removed", { who, users: list(entry.users.map(nameOf)) }));
  } else {
    const {
      name,
      roles,
      topic,
      avatar,
      join,
      pinned,
      unpinned,
      frozen,
      slow_mode: slow,
      retention_days: days,
    } = entry.changes;
    if (name) texts.push(t("notice.renamed", { who, name }));
    if (topic) texts.push(t("notice.topic", { who, topic }));
    else if (topic === null) texts.push(t("notice.noTopic", { who }));
    if (avatar !== undefined) texts.push(t("notice.avatar", { who }));
    if (join) texts.push(t(`notice.join.${join}`, { who }));
    if (frozen !== undefined) texts.push(t(frozen ? "notice.frozen" : "notice.thawed", { who }));
    if (days !== undefined) texts.push(days ? t("notice.kept", { who, n: days }) : t("notice.keptAsUsual", { who }));
    if (slow !== undefined) texts.push(slow ? t("notice.slow", { who, n: slow }) : t("notice.fast", { who }));
    if (pinned) texts.push(t("notice.pinned", { who }));
    if (unpinned) texts.push(t("notice.unpinned", { who }));
    for (const [user, role] of Object.entries(roles ?? {}))
      texts.push(t(`notice.role.${role}`, { who, user: nameOf(user) }));
  }
  return texts.length ? <p className="notice">{texts.join(" · ")}</p> : null;
}
