/** The list of chats with what stands above it: who one is, a new chat, notifications, and the search. */
import { useInbox } from "@parley/react";
import { useState } from "react";
import { useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { Icon } from "../ui/icon";
import { IconButton } from "../ui/icon-button";
import { InboxList } from "./list";
import { NewChat } from "./new-chat";
import { NotificationCentre } from "./notifications";
import { OwnMenu } from "./own-menu";
import { named, SearchField } from "./search";

export function Sidebar({ open, onSignOut }: { open: string | null; onSignOut: () => void }) {
  const { t } = useI18n();
  const { titleOf, isGuest } = usePeople();
  const inbox = useInbox();
  const [search, setSearch] = useState("");
  const [isBeginning, setIsBeginning] = useState(false);
  const items = named(inbox.items, search, titleOf);
  return (
    <nav className="sidebar" aria-label={t("inbox.title")}>
      <header className="sidebar-head">
        <OwnMenu onSignOut={onSignOut} />
        <h1>{t("inbox.title")}</h1>
        <NotificationCentre />
        {!isGuest && <IconButton icon="compose" label={t("new.title")} onClick={() => setIsBeginning(true)} />}
      </header>
      <div className="search">
        <Icon name="search" size={18} />
        <SearchField value={search} onChange={setSearch} />
      </div>
      <InboxList items={items} inbox={inbox} open={open} isSearch={search.trim() !== ""} />
      {isBeginning && <NewChat onClose={() => setIsBeginning(false)} />}
    </nav>
  );
}
