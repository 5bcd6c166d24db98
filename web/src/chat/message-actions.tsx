/** What can be done with a message: a quick reaction, and the menu of the rest. */
import type { MessageItem } from "@parley/client";
import { pin, unpin } from "@parley/client/more";
import { useClient } from "@parley/react";
import { useState } from "react";
import { useI18n } from "../i18n";
import { useMembers } from "../lib/members";
import { usePeople } from "../lib/names";
import { usePins } from "../lib/pins";
import { server } from "../lib/server";
import { Confirm } from "../ui/confirm";
import { EmojiButton } from "../ui/emoji";
import { Icon } from "../ui/icon";
import { Menu } from "../ui/menu";
import { useToasts } from "../ui/toast";
import { useDraft } from "./draft";
import { ForwardDialog } from "./forward";
import { RemindDialog } from "./remind";
import { ReportDialog } from "./report";

/** The server's rule (`edit_window_s`) may be another; it has the last word. */
const EDIT_MS = 86_400_000;
const QUICK = ["👍", "❤️", "😂", "🎉", "😮", "😢"];

interface Props {
  item: MessageItem;
  conversation: string;
  /** Whether the menu is open; a long press opens it as well. */
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
}

export function MessageActions({ item, conversation, isOpen, onOpenChange }: Props) {
  const { t } = useI18n();
  const { say, trying } = useToasts();
  const { refer } = useDraft();
  const { isGroup, isReader, isFrozen, may } = useMembers();
  const { isPinned } = usePins();
  const { isGuest } = usePeople();
  const client = useClient();
  const [shown, setShown] = useState<"forward" | "remind" | "delete" | "report" | null>(null);
  const { message, mine } = item;
  const seq = item.seq as number;
  const react = (emoji: string) => void trying(client.react(conversation, seq, emoji));
  const isEditable =
    mine && !isFrozen && may("edit_own") && !message.forwarded && Date.now() - message.created_at < EDIT_MS;
  const mayReact = !isFrozen && may("react");
  const copy = async () => {
    await navigator.clipboard.writeText(message.content ?? "");
    say(t("app.copied"));
  };
  const tell = async () => {
    const { receipts } = await server(client).message(conversation, seq);
    if (receipts) say(t("message.receipts", receipts));
  };
  const quick = QUICK.map((emoji) => ({
    label: `${t("message.react")} ${emoji}`,
    shown: emoji,
    onSelect: () => react(emoji),
  }));
  const entries = [
    !isReader && {
      label: t("message.reply"),
      icon: "reply" as const,
      onSelect: () => refer({ kind: "reply", message }),
    },
    { label: t("message.forward"), icon: "forward" as const, onSelect: () => setShown("forward") },
    message.content !== null && {
      label: t("message.copy"),
      icon: "copy" as const,
      onSelect: () => void trying(copy()),
    },
    !isGuest && { label: t("message.remind"), icon: "clock" as const, onSelect: () => setShown("remind") },
    isGroup && mine && { label: t("message.who"), icon: "checks" as const, onSelect: () => void trying(tell()) },
    isEditable && { label: t("message.edit"), icon: "edit" as const, onSelect: () => refer({ kind: "edit", message }) },
    may("pin") && {
      label: t(isPinned(seq) ? "pins.unpin" : "pins.pin"),
      icon: "pin" as const,
      onSelect: () => void trying((isPinned(seq) ? unpin : pin)(client, conversation, seq)),
    },
    !mine && { label: t("report.message"), icon: "flag" as const, onSelect: () => setShown("report") },
    may(mine ? "delete_own" : "delete_any") && {
      label: t("message.delete"),
      icon: "trash" as const,
      danger: true,
      onSelect: () => setShown("delete"),
    },
  ];
  return (
    <div className="actions">
      {mayReact && (
        <button
          type="button"
          className="icon-button small"
          aria-label={`${t("message.react")} ${QUICK[0]}`}
          onClick={() => react(QUICK[0] as string)}
        >
          {QUICK[0]}
        </button>
      )}
      {mayReact && (
        <EmojiButton onPick={react}>
          <button
            type="button"
            className="icon-button small"
            aria-label={t("message.addReaction")}
            title={t("message.addReaction")}
          >
            <Icon name="emoji" size={18} />
          </button>
        </EmojiButton>
      )}
      <Menu
        groups={[...(mayReact ? [{ inRow: true, entries: quick }] : []), { entries }]}
        open={isOpen}
        onOpenChange={onOpenChange}
      >
        <button
          type="button"
          className="icon-button small"
          aria-label={t("message.actions")}
          title={t("message.actions")}
        >
          <Icon name="more" size={18} />
        </button>
      </Menu>
      {shown === "forward" && <ForwardDialog conversation={conversation} seq={seq} onClose={() => setShown(null)} />}
      {shown === "remind" && <RemindDialog conversation={conversation} seq={seq} onClose={() => setShown(null)} />}
      {shown === "report" && <ReportDialog of={{ conversation, seq }} onClose={() => setShown(null)} />}
      {shown === "delete" && (
        <Confirm
          text={t("message.deleteSure")}
          action={t("message.delete")}
          onClose={() => setShown(null)}
          onConfirm={() => void trying(client.delete(conversation, seq))}
        />
      )}
    </div>
  );
}
