/** One chat in the list: whose it is, what was said last, and how much of it is unread. */
import type { InboxItem, Message } from "@parley/client";
import { useTyping } from "@parley/react";
import { useMemo } from "react";
import { useI18n } from "../i18n";
import { otherOf, usePeople } from "../lib/names";
import { hrefOf } from "../lib/route";
import { useSeen } from "../lib/seen";
import { useTypingText } from "../lib/typing";
import { Avatar } from "../ui/avatar";
import { Icon } from "../ui/icon";

export function InboxRow({ item, isOpen }: { item: InboxItem; isOpen: boolean }) {
  const i18n = useI18n();
  const { me, titleOf } = usePeople();
  const name = titleOf(item);
  const others = useMemo(() => (item.type === "private" ? [otherOf(item.id, me)] : []), [item.type, item.id, me]);
  const presence = useSeen(others);
  const isMuted = (item.muted_until ?? 0) > Date.now();
  const { last_message: last, unread } = item;
  return (
    <a className={unread ? "row unread" : "row"} href={hrefOf(item.id)} aria-current={isOpen ? "page" : undefined}>
      <Avatar
        id={others[0] ?? item.id}
        name={name}
        picture={item.avatar}
        online={presence[others[0] ?? ""]?.status === "online"}
      />
      <span className="row-main">
        <span className="row-line">
          <bdi className="row-name">{name}</bdi>
          {item.pinned && <Mark name="pin" label={i18n.t("inbox.pinned")} />}
          {isMuted && <Mark name="mute" label={i18n.t("inbox.muted")} />}
          {last && <time className="row-time">{i18n.stamp(last.created_at)}</time>}
        </span>
        <span className="row-line">
          <Said item={item} last={last as Message | null} />
          {unread > 0 && (
            <span className={isMuted ? "badge muted" : "badge"}>
              <span aria-hidden="true">{unread > 99 ? "99+" : unread}</span>
              <span className="hidden">{i18n.t("inbox.unread", { n: unread })}</span>
            </span>
          )}
        </span>
      </span>
    </a>
  );
}

function Mark({ name, label }: { name: "pin" | "mute"; label: string }) {
  return (
    <span className="mark" role="img" aria-label={label}>
      <Icon name={name} size={14} />
    </span>
  );
}

function Said({ item, last }: { item: InboxItem; last: Message | null }) {
  const { t } = useI18n();
  const { me, nameOf } = usePeople();
  const { users } = useTyping(item.id);
  const typing = useTypingText(users);
  if (typing)
    return (
      <span className="row-text typing">
        <bdi>{typing}</bdi>
      </span>
    );
  if (!last) return <span className="row-text">{t("inbox.noMessages")}</span>;
  const text = textOf(last, t);
  const said =
    last.sender_id === me
      ? t("inbox.you", { text })
      : item.type !== "private"
        ? t("inbox.said", { who: nameOf(last.sender_id), text })
        : text;
  return (
    <span className="row-text">
      <bdi>{said}</bdi>
    </span>
  );
}

const KINDS = ["image", "audio", "video", "file"] as const;

/** A message in one line. */
export function textOf(message: Message, t: ReturnType<typeof useI18n>["t"]): string {
  if (message.deleted_at) return t("message.deleted");
  if (message.content) return message.content;
  const kind = KINDS.find((one) => one === message.type);
  return t(message.file_id && kind ? `file.${kind}` : "message.attached");
}
