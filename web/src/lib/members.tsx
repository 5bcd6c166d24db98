/** The members of the open conversation: a private one's two, a group's as they are asked for, and again when they change. */
import type { TimelineItem } from "@parley/client";
import { may as ask } from "@parley/client/more";
import { useClient, useConnection, useConversation, useMessages } from "@parley/react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { otherOf, usePeople } from "./names";
import { type Permission, permits } from "./permissions";
import { useAuthors } from "./seen";
import { type Member, type Role, server } from "./server";

export interface Members {
  isGroup: boolean;
  /** Who writes nothing: a channel's reader, or who does not know yet whether they may there; and in a frozen group most. */
  isReader: boolean;
  isFrozen: boolean;
  /** One writes one message in so many seconds; 0: as many as one likes. */
  slowMode: number;
  /** One is not in it any more: there is nothing to be done in it, and nobody to ask. */
  isOut: boolean;
  members: readonly Member[];
  /** The user ids of all members. */
  users: readonly string[];
  /** One's own role; null in a private conversation, and until it is known. */
  role: Role | null;
  /** What one's role lets one do there. It follows a change of role at once. */
  may(permission: Permission): boolean;
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
  const known = useConversation(id);
  const { member_count: count, frozen = false, slow_mode = 0 } = known ?? {};
  const { items } = useMessages(id);
  const changed = lastNotice(items);
  const [members, setMembers] = useState<readonly Member[]>([]);
  const [asked, setAsked] = useState<readonly string[]>();
  const told = known?.permissions ?? asked;
  const isGroup = id.startsWith("group:");
  const isChannel = id.startsWith("channel:");
  useAuthors(items, isGroup && !isOut);
  const refresh = useCallback(async () => {
    if (isGroup && !isOut) setMembers(await server(client).members(id));
  }, [client, id, isGroup, isOut]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what has changed is the reason to ask again
  useEffect(() => {
    if (state === "online") refresh().catch(() => setMembers([])); // not a member any more
  }, [state, refresh, count, changed]);
  const news = known ? 0 : changed; // of a chat of the list the client asks anew by itself
  // biome-ignore lint/correctness/useExhaustiveDependencies: likewise
  useEffect(() => {
    if (state === "online" && !isOut && (isGroup || isChannel)) ask(client, id).then(setAsked, () => undefined);
  }, [state, client, id, isOut, isGroup, isChannel, news]);
  const value = useMemo(() => {
    const two = isChannel ? [me] : [...new Set([me, otherOf(id, me)])];
    const users = isGroup ? members.map((member) => member.user_id) : two;
    const role = members.find((member) => member.user_id === me)?.role ?? null;
    const may = (permission: Permission) => permits(id, permission, { told, role, isGuest });
    const isFrozen = isGroup && frozen && !!(told ?? role) && !may("write_frozen");
    const isReader = !may("send") || isFrozen;
    const slowMode = isGroup && !may("skip_slow_mode") ? slow_mode : 0;
    return { isGroup, isReader, isFrozen, slowMode, isOut, members, users, role, may, refresh };
  }, [isGroup, isChannel, isOut, frozen, slow_mode, members, told, me, isGuest, id, refresh]);
  return <Context value={value}>{children}</Context>;
}
