/** Who wants to come into a group: asked for once, and again when a request comes, goes or is decided. */
import { type JoinRequest, joinRequests } from "@parley/client/more";
import { useClient, useConnection } from "@parley/react";
import { useCallback, useEffect, useState } from "react";

export function useRequests(id: string, decides: boolean) {
  const client = useClient();
  const { state } = useConnection();
  const [requests, setRequests] = useState<readonly JoinRequest[]>([]);
  const refresh = useCallback(async () => {
    setRequests(decides ? await joinRequests(client, id).catch(() => []) : []);
  }, [client, id, decides]);
  useEffect(() => {
    if (state === "online") void refresh();
    return client.on("event", (event) => {
      const { type, conversation_id } = event as { type: string; conversation_id?: unknown };
      if (/^(unknown:)?join_request$/.test(type) && conversation_id === id) void refresh();
    });
  }, [client, id, state, refresh]);
  return { requests, refresh };
}
