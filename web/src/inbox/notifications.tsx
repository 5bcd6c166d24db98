/** The notification centre: what servers and one's own reminders have told, until it is done with. */

import type { Notification } from "@parley/client";
import { useClient, useNotifications } from "@parley/react";
import * as Popover from "@radix-ui/react-popover";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { go } from "../lib/route";
import { server } from "../lib/server";
import { unturned } from "../lib/text";
import { usePlace } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { useToasts } from "../ui/toast";
import { textOf } from "./row";

export function NotificationCentre() {
  const { t } = useI18n();
  const notifications = useNotifications();
  const [open, setOpen] = useState(false);
  const count = notifications.length;
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <button
          type="button"
          className="icon-button"
          aria-label={`${t("notifications.title")}: ${t("notifications.count", { n: count })}`}
          title={t("notifications.title")}
        >
          <Icon name="bell" />
          {count > 0 && (
            <span className="count" aria-hidden="true">
              {count}
            </span>
          )}
        </button>
      </Popover.Trigger>
      <Popover.Portal container={usePlace()}>
        <Popover.Content
          className="popover notifications"
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label={t("notifications.title")}
        >
          <h2>{t("notifications.title")}</h2>
          {!count && <p className="empty">{t("notifications.none")}</p>}
          <ul>
            {[...notifications].reverse().map((one) => (
              <Told key={one.id} notification={one} onGo={() => setOpen(false)} />
            ))}
          </ul>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Told({ notification, onGo }: { notification: Notification; onGo: () => void }) {
  const i18n = useI18n();
  const client = useClient();
  const { trying } = useToasts();
  const { conversation_id: conversation, seq, kind, title, body, created_at: at } = notification;
  const words = useReminded(notification);
  const show = () => {
    if (!conversation) return;
    onGo();
    go(conversation);
    if (seq) void client.jumpTo(conversation, seq);
  };
  return (
    <li className="told">
      <div className="told-text">
        <b dir="auto">{kind === "reminder" ? i18n.t("notifications.reminder", { text: words }) : unturned(title)}</b>
        {body && <p dir="auto">{body}</p>}
        <small>{i18n.stamp(at)}</small>
      </div>
      <div className="told-buttons">
        {conversation && (
          <button type="button" className="button small" onClick={show}>
            {i18n.t("notifications.show")}
          </button>
        )}
        <button type="button" className="button small" onClick={() => void trying(client.acknowledge(notification.id))}>
          {i18n.t("notifications.done")}
        </button>
      </div>
    </li>
  );
}

/** What the message says that a reminder is about; where it can't be read, whose conversation it was in. */
function useReminded({ kind, conversation_id: conversation, seq }: Notification): string {
  const { t } = useI18n();
  const client = useClient();
  const { titleOf } = usePeople();
  const [text, setText] = useState("…");
  useEffect(() => {
    if (kind !== "reminder" || !conversation || !seq) return;
    let here = true;
    const say = (words: string) => here && setText(words);
    server(client)
      .message(conversation, seq)
      .then((message) => say(textOf(message, t)))
      .catch(() => {
        const known = client.conversation(conversation);
        say(known ? titleOf(known) : t("message.unavailable"));
      });
    return () => {
      here = false;
    };
  }, [client, kind, conversation, seq, t, titleOf]);
  return text;
}
