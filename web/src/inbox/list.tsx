/** The chats: pinned ones first, then the newest; archived ones folded away. Only those in view are rendered. */
import type { Inbox, InboxItem } from "@parley/client";
import { useClient } from "@parley/react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState } from "react";
import { useI18n } from "../i18n";
import { InboxRow } from "./row";

const ROW = 72;

interface Props {
  items: readonly InboxItem[];
  inbox: Inbox;
  open: string | null;
  isSearch: boolean;
}

export function InboxList({ items, inbox, open, isSearch }: Props) {
  const { t } = useI18n();
  const client = useClient();
  const [showsArchived, setShowsArchived] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const kept = items.filter((one) => isSearch || !one.archived);
  const archived = items.filter((one) => !isSearch && one.archived);
  const rows = [
    ...kept.filter((one) => one.pinned),
    ...kept.filter((one) => !one.pinned),
    ...(showsArchived ? archived : []),
  ];
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 6,
  });
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrows pass through here to the links, which are what has the focus
    <div className="inbox-scroll" ref={place} onKeyDown={moveFocus}>
      {inbox.loaded && !items.length && <p className="empty">{t(isSearch ? "inbox.nothing" : "inbox.empty")}</p>}
      <ul className="inbox" style={{ height: list.getTotalSize() }}>
        {list.getVirtualItems().map((row) => {
          const item = rows[row.index];
          return (
            item && (
              <li
                key={row.key}
                style={{ transform: `translateY(${row.start}px)` }}
                aria-setsize={rows.length}
                aria-posinset={row.index + 1}
              >
                <InboxRow item={item} isOpen={item.id === open} />
              </li>
            )
          );
        })}
      </ul>
      {archived.length > 0 && (
        <button
          type="button"
          className="button quiet wide"
          aria-expanded={showsArchived}
          onClick={() => setShowsArchived(!showsArchived)}
        >
          {t("inbox.archived", { n: archived.length })}
        </button>
      )}
      {inbox.hasMore && (
        <button type="button" className="button quiet wide" onClick={() => void client.loadMoreInbox()}>
          {t("inbox.more")}
        </button>
      )}
    </div>
  );
}

/** Arrows go from chat to chat. */
function moveFocus(event: React.KeyboardEvent<HTMLElement>) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("a")].sort(
    (a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top,
  );
  const next = links[links.indexOf(document.activeElement as HTMLElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
