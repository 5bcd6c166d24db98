/** The page of somebody who is signed in: the list of chats, and the one that is open. On a phone one of the two. */
import { useClient, useConnection, useInbox } from "@parley/react";
import { useEffect, useLayoutEffect, useRef } from "react";
import { useI18n } from "../i18n";
import { Sidebar } from "../inbox/sidebar";
import { sendWaiting } from "../lib/drafts";
import { usePeople } from "../lib/names";
import { followPushes } from "../lib/push";
import { go, hrefOf, useOpenConversation } from "../lib/route";
import { useUnreadTitle } from "../lib/title";
import { Logo } from "../ui/icon";
import { useToasts } from "../ui/toast";
import { ConnectionBanner } from "./banner";
import { Conversation } from "./conversation";
import { Invitation } from "./invitation";

/** Ends of a session that only another token helps against. */
const OVER = new Set(["token_expired", "unauthenticated", "forbidden", "wrong_user", "log_lost"]);

export function Chat({ onSignOut }: { onSignOut: (why?: "ended" | null) => void }) {
  const { t } = useI18n();
  const client = useClient();
  const { unread } = useInbox();
  const { state, code } = useConnection();
  const { me } = usePeople();
  const { trying } = useToasts();
  const open = useOpenConversation();
  useEffect(followPushes, []);
  useUnreadTitle(t("app.name"), unread);
  useEffect(() => client.open(open?.startsWith("invite/") ? null : open), [client, open]);
  useEffect(() => {
    for (const work of sendWaiting(client, me)) void trying(work);
  }, [client, me, trying]);
  useFocusAfter(open);
  useEffect(() => {
    if (state === "ended" && OVER.has(code ?? "")) onSignOut("ended");
  }, [state, code, onSignOut]);
  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      const isElsewhere = event.defaultPrevented || document.querySelector("dialog[open]");
      if (event.key === "Escape" && !isElsewhere && open) go(null);
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [open]);
  return (
    <div className={open ? "app has-open" : "app"}>
      <Sidebar open={open} onSignOut={onSignOut} />
      <main className="pane">
        <ConnectionBanner />
        {open?.startsWith("invite/") ? (
          <Invitation key={open} token={open.slice("invite/".length)} />
        ) : open ? (
          <Conversation key={open} id={open} />
        ) : (
          <div className="choose">
            <Logo />
            <p>{t("chat.choose")}</p>
          </div>
        )}
      </main>
    </div>
  );
}

/** When a chat is closed, the keyboard is at its row of the list, or at what stands there. */
function useFocusAfter(open: string | null): void {
  const before = useRef(open);
  useLayoutEffect(() => {
    const closed = before.current;
    before.current = open;
    if (!closed || open || document.activeElement !== document.body) return;
    const row = document.querySelector<HTMLElement>(`.row[href="${hrefOf(closed)}"]`);
    (row ?? document.querySelector<HTMLElement>(".row, .sidebar-head button"))?.focus();
  }, [open]);
}
