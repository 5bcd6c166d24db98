/** One message: who, what, what it replies to, its reactions, and how far it has come. */
import type { MessageItem, Timeline } from "@parley/client";
import { useState } from "react";
import { useI18n } from "../i18n";
import { writtenAs } from "../lib/everyone";
import { useMembers } from "../lib/members";
import { usePeople } from "../lib/names";
import { usePins } from "../lib/pins";
import { isOnlyEmoji } from "../lib/text";
import { Avatar } from "../ui/avatar";
import { Icon } from "../ui/icon";
import { useLongPress } from "../ui/use-long-press";
import { Attachments } from "./attachment";
import { useJump } from "./jump";
import { MessageActions } from "./message-actions";
import { Failed, State } from "./message-state";
import { Quote } from "./quote";
import { Reactions } from "./reactions";
import { RichText } from "./rich-text";

interface Props {
  item: MessageItem;
  isFirst: boolean;
  isLast: boolean;
  conversation: string;
  receipts: Timeline["receipts"];
}

export function MessageRow({ item, isFirst, isLast, conversation }: Props) {
  const { t } = useI18n();
  const { me, nameOf } = usePeople();
  const { isGroup, isOut, isReader, may } = useMembers();
  const { target } = useJump();
  const { message, mine } = item;
  const [isMenu, setIsMenu] = useState(false);
  const isToDo = !isReader || may("react") || may("pin") || may("delete_any");
  const hasActions = !isOut && isToDo && !message.deleted_at && item.seq !== null;
  const press = useLongPress(() => setIsMenu(hasActions));
  const isTarget = item.seq !== null && item.seq === target;
  const isToMe = !mine && message.mentions?.some((one) => one === me || writtenAs(one) !== one);
  const marks = [
    mine ? "mine" : "theirs",
    isFirst && "first",
    isLast && "last",
    isTarget && "target",
    isToMe && "to-me",
    message.type === "system" && "system",
  ];
  return (
    <article
      className={`message ${marks.filter(Boolean).join(" ")}`}
      tabIndex={-1}
      aria-label={nameOf(message.sender_id)}
    >
      {isGroup && !mine && (
        <span className="message-avatar">
          {isLast && <Avatar id={message.sender_id} name={nameOf(message.sender_id)} size="s" />}
        </span>
      )}
      <div className="message-column">
        {isGroup && !mine && isFirst && <bdi className="sender">{nameOf(message.sender_id)}</bdi>}
        <div className="message-line">
          <Bubble item={item} conversation={conversation} press={press} />
          {hasActions && (
            <MessageActions item={item} conversation={conversation} isOpen={isMenu} onOpenChange={setIsMenu} />
          )}
        </div>
        <Reactions item={item} conversation={conversation} />
        {item.state === "failed" && <Failed item={item} />}
      </div>
      {isToMe && <span className="hidden">{t("chat.newMessages")}</span>}
    </article>
  );
}

interface BubbleProps {
  item: MessageItem;
  conversation: string;
  press: ReturnType<typeof useLongPress>;
}

function Bubble({ item, conversation, press }: BubbleProps) {
  const { t, time } = useI18n();
  const { isPinned } = usePins();
  const { message, mine } = item;
  const { content } = message;
  if (message.deleted_at) {
    return (
      <div className="bubble deleted">
        <Icon name="block" size={16} />
        <span>{t("message.deleted")}</span>
        <Meta at={time(message.created_at)} />
      </div>
    );
  }
  const isPlain = !message.file_id && !message.attachments?.length && !message.reply_to;
  const isBig = content !== null && isPlain && isOnlyEmoji(content);
  return (
    <div className={isBig ? "bubble big" : "bubble"} {...press}>
      {message.forwarded && (
        <p className="forwarded">
          <Icon name="forward" size={14} />
          {t("message.forwarded")}
        </p>
      )}
      {message.reply_to !== undefined && <Quote conversation={conversation} seq={message.reply_to} />}
      <Attachments item={item} />
      {content && (
        <div className="content" dir="auto">
          <RichText text={content} mentions={message.mentions ?? []} />
        </div>
      )}
      {message.content_cut && <p className="forwarded">{t("message.cut")}</p>}
      <Meta
        at={time(message.created_at)}
        edited={message.edited_at !== undefined || item.pendingEdit === true}
        item={mine ? item : null}
        isPinned={isPinned(item.seq)}
      />
    </div>
  );
}

interface MetaProps {
  at: string;
  edited?: boolean;
  isPinned?: boolean;
  item?: MessageItem | null;
}

function Meta({ at, edited, isPinned, item }: MetaProps) {
  const { t } = useI18n();
  return (
    <span className="meta">
      {isPinned && (
        <span role="img" aria-label={t("pins.mark")}>
          <Icon name="pin" size={13} />
        </span>
      )}
      {edited && <span>{t("message.edited")}</span>}
      <time>{at}</time>
      {item && <State item={item} />}
    </span>
  );
}
