/** The message that another one replies to, in a line; a click goes there. */
import type { Message } from "@parley/client";
import { useClient } from "@parley/react";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { textOf } from "../inbox/row";
import { usePeople } from "../lib/names";
import { server } from "../lib/server";
import { useJump } from "./jump";

export function Quote({ conversation, seq }: { conversation: string; seq: number }) {
  const { t } = useI18n();
  const { nameOf } = usePeople();
  const { to } = useJump();
  const message = useMessage(conversation, seq);
  if (message === null) return <p className="quote gone">{t("message.unavailable")}</p>;
  const name = message ? nameOf(message.sender_id) : "…";
  return (
    <button type="button" className="quote" onClick={() => to(seq)}>
      <span className="hidden">{t("message.replyTo", { name })}</span>
      <bdi className="quote-name" aria-hidden="true">
        {name}
      </bdi>
      <span className="quote-text" dir="auto">
        {message ? textOf(message, t) : "…"}
      </span>
    </button>
  );
}

/** A message of the conversation: of what is loaded, else as the server has it. Undefined until then, null where there is none. */
function useMessage(conversation: string, seq: number): Message | null | undefined {
  const client = useClient();
  const [found, setFound] = useState<Message | null | undefined>(() => loaded());
  function loaded(): Message | undefined {
    const item = client.timeline(conversation).items.find((one) => one.seq === seq);
    return item?.kind === "message" ? item.message : undefined;
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: `loaded` is made of these
  useEffect(() => {
    const known = loaded();
    if (known) return setFound(known);
    let here = true;
    server(client)
      .message(conversation, seq)
      .then((message) => here && setFound(message))
      .catch(() => here && setFound(null));
    return () => {
      here = false;
    };
  }, [client, conversation, seq]);
  return found;
}
