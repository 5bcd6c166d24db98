/** How one stands to a conversation: in it, out of it again, or it is none of one's own. What the inbox does not have is asked for. */
import type { InboxItem, ParleyError } from "@parley/client";
import { useClient, useConnection, useConversation } from "@parley/react";
import { useEffect, useState } from "react";
import { server } from "./server";

export type Standing =
  | { kind: "member"; item: InboxItem }
  | { kind: "asking" }
  /** `wasMember`: one was in it, as far as is known here. */
  | { kind: "out"; wasMember: boolean };

export function useStanding(id: string): Standing {
  const client = useClient();
  const { state } = useConnection();
  const known = useConversation(id);
  const [asked, setAsked] = useState<Standing>({ kind: "asking" });
  useEffect(
    () =>
      client.on("membership_lost", (lost) => lost.conversation_id === id && setAsked({ kind: "out", wasMember: true })),
    [client, id],
  );
  const isKnown = known !== undefined;
  useEffect(() => {
    if (isKnown || state !== "online") return;
    let here = true;
    const tell = (now: Standing) => here && setAsked(now);
    server(client)
      .conversation(id)
      .then(
        (item) => tell({ kind: "member", item: item as InboxItem }),
        ({ status, code }: ParleyError) => {
          // others pass: it is asked again when the connection is back
          if (status === 404 || status === 403 || code === "bad_request") {
            setAsked((now) => (here && now.kind !== "out" ? { kind: "out", wasMember: false } : now));
          }
        },
      );
    return () => {
      here = false;
    };
  }, [client, id, isKnown, state]);
  useEffect(() => {
    if (isKnown) setAsked({ kind: "asking" }); // taken in again: what was said of it before is over
  }, [isKnown]);
  return known ? { kind: "member", item: known } : asked;
}
