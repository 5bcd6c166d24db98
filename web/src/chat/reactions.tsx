/** The reactions below a message: each emoji once, with who; a click adds one's own or takes it off. */
import type { MessageItem } from "@parley/client";
import { useClient } from "@parley/react";
import { useI18n } from "../i18n";
import { useMembers } from "../lib/members";
import { usePeople } from "../lib/names";
import { useToasts } from "../ui/toast";

export function Reactions({ item, conversation }: { item: MessageItem; conversation: string }) {
  const { t, list } = useI18n();
  const { me, nameOf } = usePeople();
  const { trying } = useToasts();
  const { isOut, isFrozen, may } = useMembers();
  const isShut = isOut || isFrozen;
  const mayPut = !isShut && may("react"); // one's own everyone may take off
  const client = useClient();
  const { reactions, reaction_counts: counts } = item.message as MessageItem["message"] & {
    reaction_counts?: Record<string, number>;
  };
  const { seq } = item;
  if (seq === null || item.message.deleted_at || !(reactions ?? counts)) return null;
  const toggle = (emoji: string, remove: boolean) => void trying(client.react(conversation, seq, emoji, { remove }));
  return (
    <div className="reactions">
      {Object.entries(reactions ?? {}).map(([emoji, users]) => {
        const isMine = users.includes(me);
        const label = t("message.reaction", { emoji, n: users.length, who: list(users.slice(0, 8).map(nameOf)) });
        return (
          <button
            key={emoji}
            type="button"
            className="reaction"
            aria-pressed={isMine}
            disabled={isMine ? isShut : !mayPut}
            aria-label={label}
            title={label}
            onClick={() => toggle(emoji, isMine)}
          >
            <span aria-hidden="true">{emoji}</span>
            {users.length > 1 && <span aria-hidden="true">{users.length}</span>}
          </button>
        );
      })}
      {Object.entries(reactions ? {} : (counts ?? {})).map(([emoji, n]) => (
        <button key={emoji} type="button" className="reaction" disabled={!mayPut} onClick={() => toggle(emoji, false)}>
          {emoji} {n}
        </button>
      ))}
    </div>
  );
}
