/** The members of the open conversation: a private one's two, a group's as they are asked for, and again when they change. */
import type { TimelineItem } from "@parley/client";
import { useClient, useConnection, useConversation, useMessages } from "@parley/react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { otherOf, usePeople } from "./names";
import { useAuthors } from "./seen";
import { type Member, type Role, server } from "./server";

export interface Members {
  isGroup: boolean;
  /** A channel's reader writes nothing, and neither does who does not know yet what they are there; nor a plain member of a frozen group. */
  isReader: boolean;
  isFrozen: boolean;
  /** A plain member writes one message in so many seconds; 0: as many as they like. */
  slowMode: number;
  /** One is not in it any more: there is nothing to be done in it, and nobody to ask. */
  isOut: boolean;
  members: readonly Member[];
  /** The user ids of all members. */
  users: readonly string[];
  /** One's own role; null in a private conversation, and until it is known. */
  role: Role | null;
  /** One decides here, as a group's owner or admin. */
  isModerator: boolean;
  refresh(): Promise<void>;
}

const Context = createContext<Members | null>(null);

export function useMembers(): Members {
  const found = useContext(Context);
  if (!found) throw new Error("there is no MembersProvider above");
  return found;
}

/** The last entry by which membership or a role changed. */
function lastNotice(items: readonly TimelineItem[]): number {
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index];
    if (item?.kind === "notice") return item.seq;
  }
  return 0;
}

export function MembersProvider({ id, isOut = false, children }: { id: string; isOut?: boolean; children: ReactNode }) {
  const client = useClient();
  const { me, isGuest } = usePeople();
  const { state } = useConnection();
  const { member_count: count, frozen = false, slow_mode = 0 } = useConversation(id) ?? {};
  const { items } = useMessages(id);
  const changed = lastNotice(items);
  const [members, setMembers] = useState<readonly Member[]>([]);
  const [given, setGiven] = useState<Role | null>(null);
  const isGroup = id.startsWith("group:");
  const isChannel = id.startsWith("channel:");
  useAuthors(items, isGroup && !isOut);
  const refresh = useCallback(async () => {
    if (isGroup && !isOut) setMembers(await server(client).members(id));
    if (isChannel && !isOut) setGiven((await server(client).conversation(id)).role);
  }, [client, id, isGroup, isChannel, isOut]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what has changed is the reason to ask again
  useEffect(() => {
    if (state === "online") refresh().catch(() => setMembers([])); // not a member any more
  }, [state, refresh, count, changed]);
  const value = useMemo(() => {
    const two = isChannel ? [me] : [...new Set([me, otherOf(id, me)])];
    const users = isGroup ? members.map((member) => member.user_id) : two;
    const role = members.find((member) => member.user_id === me)?.role ?? given;
    const isPlain = role !== "owner" && role !== "admin";
    const isFrozen = isGroup && frozen && role === "member";
    const isReader = (isChannel && isPlain) || isFrozen;
    const slowMode = isGroup && isPlain ? slow_mode : 0;
    const isModerator = isGroup && !isPlain && !isGuest;
    return { isGroup, isReader, isFrozen, slowMode, isOut, members, users, role, isModerator, refresh };
  }, [isGroup, isChannel, isOut, frozen, slow_mode, members, given, me, isGuest, id, refresh]);
  return <Context value={value}>{children}</Context>;
}
