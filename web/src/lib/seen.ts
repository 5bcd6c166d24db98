/** Whose presence is watched: a guest watches nobody, and asks for none. */
import type { TimelineItem } from "@parley/client";
import { usePresence } from "@parley/react";
import { useMemo } from "react";
import { usePeople } from "./names";

const NOBODY: readonly string[] = [];
/** Of an open group, so many of those who wrote last. */
const MOST = 20;

export function useSeen(users: readonly string[]): ReturnType<typeof usePresence> {
  const { isGuest } = usePeople();
  return usePresence(isGuest ? NOBODY : users);
}

/** Who is watched is told of when their name or picture changes: in a group, whoever shows in it. */
export function useAuthors(items: readonly TimelineItem[], isGroup: boolean): void {
  const { me } = usePeople();
  const authors = useMemo(() => {
    if (!isGroup) return NOBODY;
    const found = items.map((item) => (item.kind === "message" ? item.message.sender_id : me));
    return [...new Set(found.reverse())].filter((one) => one !== me).slice(0, MOST);
  }, [items, isGroup, me]);
  useSeen(authors);
}
