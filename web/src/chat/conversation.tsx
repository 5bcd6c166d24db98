/** The open conversation: its head, its messages, and where one writes. Files can be dropped anywhere on it. */
import type { InboxItem } from "@parley/client";
import { type DragEvent, useState } from "react";
import { useI18n } from "../i18n";
import { MembersProvider, useMembers } from "../lib/members";
import { PinsProvider } from "../lib/pins";
import { useStanding } from "../lib/standing";
import { Composer } from "./composer";
import { DraftProvider } from "./draft";
import { Head } from "./head";
import { Out } from "./out";
import { Pinned } from "./pinned";
import { type SendFiles, useFiles, useMayAttach } from "./sending-files";
import { Timeline } from "./timeline";
import { TypingLine } from "./typing-line";

export function Conversation({ id }: { id: string }) {
  const standing = useStanding(id);
  if (standing.kind === "member") return <Own id={id} item={standing.item} />;
  if (standing.kind === "out") return <Out id={id} wasMember={standing.wasMember} />;
  return (
    <section className="conversation">
      <Head id={id} name="…" />
    </section>
  );
}

function Own({ id, item }: { id: string; item: InboxItem }) {
  return (
    <MembersProvider id={id}>
      <PinsProvider id={id}>
        <DraftProvider id={id}>
          <Inside id={id} item={item} />
        </DraftProvider>
      </PinsProvider>
    </MembersProvider>
  );
}

function Inside({ id, item }: { id: string; item: InboxItem }) {
  const { t } = useI18n();
  const mayAttach = useMayAttach();
  const sendFiles = useFiles(id);
  const [isOver, setIsOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    sendFiles(event.dataTransfer.files);
  };
  const over = (event: DragEvent) => {
    if (!mayAttach || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setIsOver(true);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a pointer's way; the button and pasting do the same
    <section className="conversation" onDragOver={over} onDragLeave={() => setIsOver(false)} onDrop={drop}>
      <Head id={id} item={item} />
      <Pinned id={id} />
      <Timeline id={id} />
      <TypingLine id={id} />
      <Writing id={id} sendFiles={sendFiles} />
      {isOver && (
        <div className="drop-here" aria-hidden="true">
          {t("compose.drop")}
        </div>
      )}
    </section>
  );
}

/** Where one writes, or that one only reads here. */
function Writing(props: { id: string; sendFiles: SendFiles }) {
  const { t } = useI18n();
  const { isReader, isFrozen } = useMembers();
  if (!isReader) return <Composer {...props} />;
  return (
    <p className="gone" role="status">
      {t(isFrozen ? "chat.frozen" : "chat.reader")}
    </p>
  );
}
