/** Choosing where a message is forwarded to. */
import type { InboxItem } from "@parley/client";
import { useClient, useInbox } from "@parley/react";
import { useState } from "react";
import { useI18n } from "../i18n";
import { named, SearchField } from "../inbox/search";
import { send } from "../lib/drafts";
import { otherOf, usePeople } from "../lib/names";
import { Avatar } from "../ui/avatar";
import { Dialog } from "../ui/dialog";
import { useToasts } from "../ui/toast";

const SHOWN = 50;

export function ForwardDialog({
  conversation,
  seq,
  onClose,
}: {
  conversation: string;
  seq: number;
  onClose: () => void;
}) {
  const { t } = useI18n();
  const { me, titleOf } = usePeople();
  const { say, trying } = useToasts();
  const client = useClient();
  const { items } = useInbox();
  const [search, setSearch] = useState("");
  const found = named(items, search, titleOf).slice(0, SHOWN);
  const forward = (to: InboxItem) => {
    const work = send(client, me, to.id, null, { forward_of: { conversation_id: conversation, seq } });
    const tell = ({ stored }: Awaited<typeof work>) =>
      stored.then(
        () => say(t("forward.done", { name: titleOf(to) })),
        () => undefined, // it stands as failed in its conversation
      );
    void trying(work.then(tell));
    onClose();
  };
  return (
    <Dialog title={t("forward.title")} onClose={onClose}>
      <SearchField value={search} onChange={setSearch} autoFocus />
      <ul className="people">
        {found.map((one) => (
          <li key={one.id}>
            <button type="button" className="person choice" onClick={() => forward(one)}>
              <Avatar id={one.type === "private" ? otherOf(one.id, me) : one.id} name={titleOf(one)} size="s" />
              <bdi className="person-name">{titleOf(one)}</bdi>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
