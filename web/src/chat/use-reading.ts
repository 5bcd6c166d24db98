/** Says what is read: what stands at the end of the open conversation while somebody looks at the page. */
import type { Timeline } from "@parley/client";
import { useClient, useConversation } from "@parley/react";
import { useEffect, useSyncExternalStore } from "react";

function subscribe(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  addEventListener("focus", listener);
  addEventListener("blur", listener);
  return () => {
    document.removeEventListener("visibilitychange", listener);
    removeEventListener("focus", listener);
    removeEventListener("blur", listener);
  };
}

export function useReading(id: string, timeline: Timeline, isAtEnd: boolean): void {
  const client = useClient();
  const unread = useConversation(id)?.unread ?? 0;
  const isLooked = useSyncExternalStore(subscribe, () => document.visibilityState === "visible" && document.hasFocus());
  const last = timeline.items.findLast((item) => item.seq !== null)?.seq ?? 0;
  useEffect(() => {
    if (isLooked && isAtEnd && last > 0 && (unread > 0 || last > timeline.readSeq)) {
      client.noteRead(id, last);
    }
  }, [client, id, isLooked, isAtEnd, last, unread, timeline.readSeq]);
}
