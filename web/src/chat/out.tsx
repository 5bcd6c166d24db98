/** In place of a conversation that one is not in: what is still here of it, or that there is none. Nothing can be written. */
import type { TimelineItem } from "@parley/client";
import { join as joinIt, ownRequests, withdrawRequest } from "@parley/client/more";
import { useClient, useMessages } from "@parley/react";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { MembersProvider } from "../lib/members";
import { otherOf, usePeople } from "../lib/names";
import { go } from "../lib/route";
import { privateId, server } from "../lib/server";
import { unturned } from "../lib/text";
import { Logo } from "../ui/icon";
import { useToasts } from "../ui/toast";
import { Head } from "./head";
import { Timeline } from "./timeline";

export function Out({ id, wasMember }: { id: string; wasMember: boolean }) {
  const { t } = useI18n();
  const { me, isGuest, nameOf } = usePeople();
  const { say, trying } = useToasts();
  const client = useClient();
  const { items } = useMessages(id);
  const isMany = /^(channel|group):/.test(id);
  const mayJoin = isMany && !isGuest;
  const [hasAsked, setHasAsked] = useState(false);
  useEffect(() => {
    const look = (waiting: readonly { conversation_id: string }[]) =>
      setHasAsked(waiting.some((one) => one.conversation_id === id));
    if (mayJoin) ownRequests(client).then(look, () => undefined);
    return client.on("event", (event) => {
      const { type, conversation_id, user_id, status } = event as { type: string } & Record<string, unknown>;
      const isOwn = /^(unknown:)?join_request$/.test(type) && conversation_id === id && user_id === me;
      if (isOwn) setHasAsked(status === "requested"); // on another device, or decided
    });
  }, [client, id, me, mayJoin]);
  if (wasMember || items.length) {
    return (
      <MembersProvider id={id} isOut>
        <section className="conversation">
          <Head id={id} name={unturned(nameIn(items) ?? "") || t("chat.someGroup")} />
          <Timeline id={id} />
          <p className="gone" role="status">
            {t("chat.gone")}
          </p>
        </section>
      </MembersProvider>
    );
  }
  const other = otherOf(id, me);
  const isPossible = !isGuest && other !== me && id === privateId(me, other);
  const begin = async () => {
    await server(client).begin(other);
    await client.refreshInbox();
  };
  const join = async () => {
    const made = await joinIt(client, id);
    if ("status" in made) {
      setHasAsked(true);
      say(t("ways.asked"));
    }
    await client.refreshInbox();
  };
  const withdraw = () => withdrawRequest(client, id).then(() => setHasAsked(false));
  return (
    <div className="choose">
      <Logo />
      <p role="status">{t(isMany ? "chat.noneChannel" : "chat.none")}</p>
      {mayJoin && (
        <button
          type="button"
          className={hasAsked ? "button" : "button primary"}
          onClick={() => void trying(hasAsked ? withdraw() : join())}
        >
          {t(hasAsked ? "ways.withdraw" : "chat.join")}
        </button>
      )}
      {isPossible && (
        <button type="button" className="button primary" onClick={() => void trying(begin())}>
          {t("details.write", { name: nameOf(other) })}
        </button>
      )}
      <button type="button" className="button" onClick={() => go(null)}>
        {t("app.back")}
      </button>
    </div>
  );
}

/** What the group was called when one was last told. */
function nameIn(items: readonly TimelineItem[]): string | undefined {
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index];
    if (item?.kind !== "notice") continue;
    const { entry } = item;
    const name = entry.type === "conversation_updated" ? entry.changes.name : "name" in entry ? entry.name : undefined;
    if (name) return name;
  }
}
