/** What is pinned in the open conversation: as the client keeps it, and asked for when it is opened, and for pins that are new. */
import type { PinnedMessage, TimelineItem } from "@parley/client";
import { pins as pinsOf } from "@parley/client/more";
import { useClient, useConnection, useConversation, useMessages } from "@parley/react";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from "react";

export interface Pins {
  pins: readonly PinnedMessage[];
  isPinned(seq: number | null): boolean;
}

const NONE: readonly PinnedMessage[] = [];
const Context = createContext<Pins>({ pins: NONE, isPinned: () => false });

export const usePins = () => useContext(Context);

/** The last entry by which something was pinned, or not any more; a deleted message takes its pin along. */
function lastChange(items: readonly TimelineItem[]): string {
  let last = 0;
  let deleted = 0;
  for (const item of items) {
    if (item.kind === "message") deleted += item.message.deleted_at === undefined ? 0 : 1;
    else if (item.entry.type === "conversation_updated") {
      const { pinned, unpinned } = item.entry.changes;
      if (pinned ?? unpinned) last = item.seq;
    }
  }
  return `${last} ${deleted}`;
}

export function PinsProvider({ id, children }: { id: string; children: ReactNode }) {
  const client = useClient();
  const { state } = useConnection();
  const known = useConversation(id);
  const changed = lastChange(useMessages(id).items);
  const [asked, setAsked] = useState(NONE);
  const hasAsked = useRef(false); // on this connection
  const pins = known?.pins ?? asked;
  // What is no chat of the list the client does not follow; and a pin that has just come lacks its message.
  const news = known ? pins.find((pin) => !pin.message)?.seq : changed;
  useEffect(() => {
    const isAsked = hasAsked.current;
    hasAsked.current = state === "online";
    if (state !== "online" || (isAsked && news === undefined)) return;
    let here = true;
    pinsOf(client, id).then(
      (found) => here && setAsked(found),
      () => undefined, // a server without pins, or one is not in it any more
    );
    return () => {
      here = false;
    };
  }, [client, id, state, news]);
  const value = useMemo(() => {
    const seqs = new Set(pins.map((pin) => pin.seq));
    return { pins, isPinned: (seq: number | null) => seq !== null && seqs.has(seq) };
  }, [pins]);
  return <Context value={value}>{children}</Context>;
}
