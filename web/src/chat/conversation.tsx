/** The open conversation: its head, its messages, and where one writes. Files can be dropped anywhere on it. */
import { useClient, useConversation } from "@parley/react";
import { type DragEvent, useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { MembersProvider } from "../lib/members";
import { Composer } from "./composer";
import { DraftProvider } from "./draft";
import { Head } from "./head";
import { useFiles } from "./sending-files";
import { Timeline } from "./timeline";
import { TypingLine } from "./typing-line";

export function Conversation({ id }: { id: string }) {
  const { t } = useI18n();
  const client = useClient();
  const item = useConversation(id);
  const sendFiles = useFiles(id);
  const [isOver, setIsOver] = useState(false);
  const isKnown = item !== undefined;
  const [isLost, setIsLost] = useState(false);
  useEffect(() => client.on("membership_lost", (lost) => lost.conversation_id === id && setIsLost(true)), [client, id]);
  useEffect(() => {
    if (isKnown) setIsLost(false); // taken in again
  }, [isKnown]);
  useEffect(() => {
    if (!isKnown) void client.refreshInbox().catch(() => undefined); // by a link, or new
  }, [client, isKnown]);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    sendFiles(event.dataTransfer.files);
  };
  const over = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setIsOver(true);
  };
  return (
    <MembersProvider id={id}>
      <DraftProvider>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a pointer's way; the button and pasting do the same */}
        <section className="conversation" onDragOver={over} onDragLeave={() => setIsOver(false)} onDrop={drop}>
          <Head id={id} item={item} />
          <Timeline id={id} />
          <TypingLine id={id} />
          {isLost ? <p className="gone">{t("chat.gone")}</p> : <Composer id={id} sendFiles={sendFiles} />}
          {isOver && (
            <div className="drop-here" aria-hidden="true">
              {t("compose.drop")}
            </div>
          )}
        </section>
      </DraftProvider>
    </MembersProvider>
  );
}
