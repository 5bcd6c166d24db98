/** What users and conversations are called here: by the name that one gave a contact, else as the directory has them, else by the id. */

import type { InboxItem } from "@parley/client";
import { Directory, type User } from "@parley/client/more";
import { useClient, useConnection } from "@parley/react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { type Contact, server } from "./server";
import { isUserId } from "./session";
import { unturned } from "./text";

export interface People {
  me: string;
  /** The token is a guest's: what guests may not do is not offered. The server has the last word. */
  isGuest: boolean;
  contacts: readonly Contact[];
  blocks: readonly string[];
  nameOf(user: string): string;
  /** What the team's directory says of a user, as far as that is known. */
  recordOf(user: string): User | null;
  /** The address of a picture, where the team has one of the user. */
  pictureOf(id: string, own?: string | null): string | null;
  directory: Directory;
  /** The name of a conversation: the group's, or the other user's. */
  titleOf(conversation: Pick<InboxItem, "id" | "type" | "name" | "members">): string;
  refresh(): Promise<void>;
}

const Context = createContext<People | null>(null);

export function usePeople(): People {
  const found = useContext(Context);
  if (!found) throw new Error("there is no PeopleProvider above");
  return found;
}

/** The other user of a private conversation. */
export function otherOf(id: string, me: string): string {
  const users = id.split(":").slice(1);
  return users.find((user) => user !== me) ?? me;
}

export function PeopleProvider({
  me,
  isGuest = false,
  children,
}: {
  me: string;
  isGuest?: boolean;
  children: ReactNode;
}) {
  const client = useClient();
  const { state } = useConnection();
  const [contacts, setContacts] = useState<readonly Contact[]>([]);
  const [blocks, setBlocks] = useState<readonly string[]>([]);
  const directory = useMemo(() => new Directory(client), [client]);
  const [news, setNews] = useState(0);
  useEffect(() => {
    const stop = directory.subscribe(() => setNews((count) => count + 1));
    return () => {
      stop();
      directory.close();
    };
  }, [directory]);
  const refresh = useCallback(async () => {
    const ask = server(client);
    const [nextContacts, nextBlocks] = await Promise.all([isGuest ? [] : ask.contacts(), ask.blocks()]);
    setContacts(nextContacts);
    setBlocks(nextBlocks);
  }, [client, isGuest]);
  useEffect(() => {
    if (state !== "online") return;
    // names are ids until it is asked again; a server without an own log tells of no request: it is asked for at a look at the page
    const look = () => document.visibilityState === "visible" && refresh().catch(() => undefined);
    look();
    addEventListener("focus", look);
    return () => removeEventListener("focus", look);
  }, [state, refresh]);
  useEffect(() => {
    const again = () => void refresh().catch(() => undefined);
    const stops = [
      client.on("user_changed", ({ what }) => (what === "contact" || what === "block") && again()),
      client.on("user_reset", again),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [client, refresh]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the directory has learned is the reason to name anew
  const people = useMemo(() => {
    const aliases = new Map(contacts.map((contact) => [contact.user_id, contact.alias]));
    const recordOf = (user: string) => directory.get(user) ?? null;
    const nameOf = (user: string) => unturned(aliases.get(user) || recordOf(user)?.name || user);
    return {
      me,
      isGuest,
      contacts,
      blocks,
      nameOf,
      recordOf,
      pictureOf: (id: string, own?: string | null) => pictureIn(own ?? (isUserId(id) ? recordOf(id)?.avatar : null)),
      directory,
      titleOf: (one: Pick<InboxItem, "id" | "type" | "name" | "members">) =>
        one.type === "private" ? nameOf(otherOf(one.id, me)) : unturned(one.name ?? one.id),
      refresh,
    };
  }, [me, isGuest, contacts, blocks, refresh, directory, news]);
  return <Context value={people}>{children}</Context>;
}

/** Only what comes by https is shown: an address is the team's, or the user's own. */
function pictureIn(address?: string | null): string | null {
  return address?.startsWith("https://") ? address : null;
}
