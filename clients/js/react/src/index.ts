/** React hooks on `@parley/client`: each renders again when what it shows has changed, and only then. */

import type {
  ConnectionState,
  Inbox,
  InboxItem,
  Notification,
  ParleyClient,
  PresenceState,
  Sending,
  SendMore,
  Timeline,
  Topic,
  Where,
} from "@parley/client";
import {
  createContext,
  createElement,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";

const Context = createContext<ParleyClient | null>(null);

/** Makes a client known to the hooks below it. It starts the client, and leaves its end to who made it. */
export function ParleyProvider({ client, children }: { client: ParleyClient; children?: ReactNode }) {
  useEffect(() => {
    client.start().catch(() => {}); // `useConnection` says why it has ended
  }, [client]);
  return createElement(Context.Provider, { value: client }, children);
}

export function useClient(): ParleyClient {
  const client = useContext(Context);
  if (client === null) throw new Error("There is no ParleyProvider above this component");
  return client;
}

function useTopic<T>(topic: Topic, snapshot: (client: ParleyClient) => T): T {
  const client = useClient();
  const subscribe = useCallback((listener: () => void) => client.subscribe(topic, listener), [client, topic]);
  const get = () => snapshot(client);
  return useSyncExternalStore(subscribe, get, get);
}

export function useConnection(): ConnectionState {
  return useTopic("connection", (client) => client.connection());
}

export function useInbox(): Inbox & { loadMore: () => Promise<void>; refresh: () => Promise<void> } {
  const client = useClient();
  const inbox = useTopic("inbox", () => client.inbox());
  return useMemo(
    () => ({ ...inbox, loadMore: () => client.loadMoreInbox(), refresh: () => client.refreshInbox() }),
    [client, inbox],
  );
}

export function useConversation(id: string): InboxItem | undefined {
  return useTopic(`conversation:${id}`, (client) => client.conversation(id));
}

export type Messages = Timeline & {
  loadOlder: () => Promise<void>;
  loadNewer: () => Promise<void>;
  jumpTo: (seq: number) => Promise<void>;
  jumpToLatest: () => Promise<void>;
  markRead: (seq: number) => Promise<void>;
  noteRead: (seq: number) => void;
};

/** The conversation's messages, with those that are on their way; it is loaded as soon as this is used. */
export function useMessages(id: string): Messages {
  const client = useClient();
  const timeline = useTopic(`timeline:${id}`, () => client.timeline(id));
  const actions = useMemo(
    () => ({
      loadOlder: () => client.loadOlder(id),
      loadNewer: () => client.loadNewer(id),
      jumpTo: (seq: number) => client.jumpTo(id, seq),
      jumpToLatest: () => client.jumpToLatest(id),
      markRead: (seq: number) => client.markRead(id, seq),
      noteRead: (seq: number) => client.noteRead(id, seq),
    }),
    [client, id],
  );
  return useMemo(() => ({ ...timeline, ...actions }), [timeline, actions]);
}

/** Who writes there, and how to say that one does. */
export function useTyping(id: string): { users: readonly string[]; setTyping: (active: boolean) => void } {
  const client = useClient();
  const users = useTopic(`typing:${id}`, () => client.typing(id));
  const setTyping = useCallback((active: boolean) => client.setTyping(id, active), [client, id]);
  return useMemo(() => ({ users, setTyping }), [users, setTyping]);
}

// A connection has one list of watched users: it is all those that any component shows.
const watching = new WeakMap<ParleyClient, Map<string, number>>();

/** How these users are. All that are shown anywhere are watched, 100 at most. */
export function usePresence(users: readonly string[]): Readonly<Record<string, PresenceState>> {
  const client = useClient();
  const key = [...new Set(users)].sort().join(" ");
  const last = useRef<Record<string, PresenceState>>({});
  const names = useMemo(() => (key === "" ? [] : key.split(" ")), [key]);
  useEffect(() => {
    const counts = watching.get(client) ?? new Map<string, number>();
    watching.set(client, counts);
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    client.watch([...counts.keys()].slice(0, 100));
    return () => {
      for (const name of names) {
        const left = (counts.get(name) ?? 1) - 1;
        if (left > 0) counts.set(name, left);
        else counts.delete(name);
      }
      queueMicrotask(() => client.watch([...counts.keys()].slice(0, 100)));
    };
  }, [client, names]);
  const subscribe = useCallback(
    (listener: () => void) => {
      const stops = names.map((name) => client.subscribe(`presence:${name}`, listener));
      return () => {
        for (const stop of stops) stop();
      };
    },
    [client, names],
  );
  const get = () => {
    const before = last.current;
    const same =
      Object.keys(before).length === names.length && names.every((name) => client.presence(name) === before[name]);
    if (!same) last.current = Object.fromEntries(names.map((name) => [name, client.presence(name)]));
    return last.current;
  };
  return useSyncExternalStore(subscribe, get, get);
}

/** How to send there: the same function until `where` changes. */
export function useSend(where: Where): (content: string | null, more?: SendMore) => Sending {
  const client = useClient();
  const to = "to" in where ? where.to : undefined;
  const id = "to" in where ? undefined : where.conversation_id;
  return useCallback(
    (content: string | null, more?: SendMore) =>
      client.send(to === undefined ? { conversation_id: id as string } : { to }, content, more),
    [client, to, id],
  );
}

export function useNotifications(): readonly Notification[] {
  return useTopic("notifications", (client) => client.notifications());
}

/** A `Directory` of `@parley/client/more`, or anything that knows users like one. */
export type UserSource<U> = { get(id: string): U; subscribe(listener: () => void): () => void };

/** What is known of these users by now, in their order; what is not is asked for. */
export function useUsers<U>(source: UserSource<U>, ids: readonly string[]): readonly U[] {
  const shown = useRef<readonly U[]>([]);
  const subscribe = useCallback((listener: () => void) => source.subscribe(listener), [source]);
  const get = () => {
    const now = ids.map((id) => source.get(id));
    const before = shown.current;
    if (now.length !== before.length || now.some((user, index) => user !== before[index])) shown.current = now;
    return shown.current;
  };
  return useSyncExternalStore(subscribe, get, get);
}
