/** The messages, of which only those in view are rendered: it stays at the end, and where one reads, whatever arrives. */
import { useClient, useMessages } from "@parley/react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useI18n } from "../i18n";
import { useMembers } from "../lib/members";
import { Icon } from "../ui/icon";
import { type Jump, JumpContext } from "./jump";
import { rowsOf } from "./rows";
import { useWithFiles } from "./sending-files";
import { TimelineRow } from "./timeline-row";
import { useReading } from "./use-reading";
import { useResting } from "./use-resting";
import { END, useStayingAtEnd } from "./use-staying-at-end";

const NEAR = 600;

export function Timeline({ id }: { id: string }) {
  const { t } = useI18n();
  const timeline = useMessages(id);
  const place = useRef<HTMLDivElement>(null);
  const { hasOlder, hasNewer, loadingOlder } = timeline;
  const items = useWithFiles(id, timeline.items, !hasNewer);
  const client = useClient();
  const [unreadFrom] = useState(() => {
    const before = client.conversation(id);
    return before && before.unread > 0 ? before.read_seq : null;
  });
  const rows = useMemo(() => rowsOf(items, unreadFrom), [items, unreadFrom]);
  const [target, setTarget] = useState<number | null>(null);
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => place.current,
    estimateSize: (index) => (rows[index]?.kind === "message" ? 56 : 40),
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 8,
    paddingStart: 12,
    paddingEnd: 8,
    anchorTo: "end",
    followOnAppend: !hasNewer,
    scrollEndThreshold: END,
  });
  const isAtEnd = list.isAtEnd(END) && !hasNewer;
  const isEmpty = rows.length === 0;
  useLayoutEffect(() => {
    if (!isEmpty) list.scrollToEnd();
  }, [isEmpty, list]);
  const { isOut } = useMembers();
  useReading(id, timeline, isAtEnd && !isOut);
  const [isResting, rest] = useResting();
  useEffect(() => {
    if (isResting) return;
    const offset = list.scrollOffset ?? 0;
    if (offset < NEAR && hasOlder && !loadingOlder) rest(timeline.loadOlder());
    else if (hasNewer && list.getDistanceFromEnd() < NEAR) rest(timeline.loadNewer());
  });
  useStayingAtEnd(place, !hasNewer, () => list.scrollToEnd());
  useEffect(() => {
    const index = target === null ? -1 : rows.findIndex((row) => row.kind === "message" && row.item.seq === target);
    if (index < 0) return;
    list.scrollToIndex(index, { align: "center" });
    const timer = setTimeout(() => setTarget(null), 2_000);
    return () => clearTimeout(timer);
  }, [target, rows, list]);
  const jump = useMemo<Jump>(
    () => ({
      target,
      to: (seq) => {
        setTarget(seq);
        if (!items.some((item) => item.seq === seq)) void timeline.jumpTo(seq);
      },
    }),
    [target, items, timeline],
  );
  const toLatest = async () => {
    if (hasNewer) await timeline.jumpToLatest();
    requestAnimationFrame(() => list.scrollToEnd());
  };
  const last = items.at(-1);
  const sending = last?.kind === "message" && last.mine && last.seq === null ? last.key : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a message of one's own is the reason, and nothing else
  useEffect(() => {
    if (sending !== null) void toLatest();
  }, [sending]);
  return (
    <JumpContext value={jump}>
      <div className="timeline-place">
        {/* biome-ignore lint/a11y/useSemanticElements: the list in it is what has meaning; it is what scrolls */}
        <div
          className="timeline"
          ref={place}
          role="region"
          aria-label={t("chat.history")}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
          tabIndex={0}
          onKeyDown={moveFocus}
        >
          {loadingOlder && (
            <p className="loading" role="status">
              {t("chat.loading")}
            </p>
          )}
          {isEmpty && !hasOlder && !loadingOlder && <p className="empty">{t("chat.begin")}</p>}
          <ol style={{ height: list.getTotalSize() }}>
            {list.getVirtualItems().map(({ key, index, start }) => {
              const row = rows[index];
              return (
                row && (
                  <li
                    key={key}
                    data-index={index}
                    ref={list.measureElement}
                    style={{ transform: `translateY(${start}px)` }}
                  >
                    <TimelineRow row={row} conversation={id} receipts={timeline.receipts} />
                  </li>
                )
              );
            })}
          </ol>
        </div>
        {!isAtEnd && !isEmpty && (
          <button type="button" className="to-latest" aria-label={t("chat.latest")} onClick={() => void toLatest()}>
            <Icon name="down" />
          </button>
        )}
      </div>
    </JumpContext>
  );
}

/** Arrows go from message to message; Home and End are the browser's. */
function moveFocus(event: KeyboardEvent<HTMLElement>) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const onMessage = (event.target as HTMLElement).matches(".message, .timeline");
  if (!step || !onMessage) return;
  const messages = [...event.currentTarget.querySelectorAll<HTMLElement>(".message")].sort(
    (a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top,
  );
  const at = messages.indexOf(document.activeElement as HTMLElement);
  const next = at < 0 ? messages.at(-1) : messages[at + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
