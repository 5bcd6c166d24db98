/** What is pinned in the open conversation: asked for when it is opened, and again when a pin comes or goes. */
import type { TimelineItem } from "@parley/client";
import { type Pin, pins as pinsOf } from "@parley/client/more";
import { useClient, useConnection, useMessages } from "@parley/react";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";

export interface Pins {
  pins: readonly Pin[];
  isPinned(seq: number | null): boolean;
}

const Context = createContext<Pins>({ pins: [], isPinned: () => false });

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
  const changed = lastChange(useMessages(id).items);
  const [pins, setPins] = useState<readonly Pin[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what has changed is the reason to ask again
  useEffect(() => {
    if (state !== "online") return;
    let here = true;
    pinsOf(client, id).then(
      (found) => here && setPins(found),
      () => undefined, // a server without pins, or one is not in it any more
    );
    return () => {
      here = false;
    };
  }, [client, id, state, changed]);
  const value = useMemo(() => {
    const seqs = new Set(pins.map((pin) => pin.seq));
    return { pins, isPinned: (seq: number | null) => seq !== null && seqs.has(seq) };
  }, [pins]);
  return <Context value={value}>{children}</Context>;
}
