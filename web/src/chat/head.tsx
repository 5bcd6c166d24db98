/** Above the messages: with whom, whether they are there, and the way to the details. */
import type { InboxItem } from "@parley/client";
import { useMemo, useState } from "react";
import { useI18n } from "../i18n";
import { useMembers } from "../lib/members";
import { otherOf, usePeople } from "../lib/names";
import { useRequests } from "../lib/requests";
import { go } from "../lib/route";
import { useSeen } from "../lib/seen";
import { unturned } from "../lib/text";
import { Avatar } from "../ui/avatar";
import { Icon } from "../ui/icon";
import { Details } from "./details";

/** `name`: what it is called where it is none of one's own chats, of which more can be said. */
export function Head({ id, item, name: given = "" }: { id: string; item?: InboxItem; name?: string }) {
  const { t } = useI18n();
  const { me, titleOf } = usePeople();
  const [isOpen, setIsOpen] = useState(false);
  const isPrivate = id.startsWith("dm:");
  const name = item ? titleOf(item) : given;
  return (
    <header className="head">
      <button type="button" className="icon-button only-phone" aria-label={t("app.back")} onClick={() => go(null)}>
        <Icon name="back" />
      </button>
      <Avatar id={isPrivate ? otherOf(id, me) : id} name={name} picture={item?.avatar} size="s" />
      <div className="head-text">
        <h2>
          <bdi>{name}</bdi>
        </h2>
        {item && (isPrivate ? <PresenceLine user={otherOf(id, me)} /> : <GroupLine item={item} />)}
      </div>
      {item && item.type !== "channel" && <DetailsButton id={id} onOpen={() => setIsOpen(true)} />}
      {isOpen && item && <Details id={id} item={item} name={name} onClose={() => setIsOpen(false)} />}
    </header>
  );
}

/** The way to the details, and how many want to come in, for who decides on that. */
function DetailsButton({ id, onOpen }: { id: string; onOpen: () => void }) {
  const { t } = useI18n();
  const { isOut, may } = useMembers();
  const { requests } = useRequests(id, !isOut && id.startsWith("group:") && may("decide_requests"));
  const asked = requests.length > 0 && t("ways.requests", { n: requests.length });
  return (
    <button
      type="button"
      className="icon-button counted"
      aria-label={[t("chat.details"), asked].filter(Boolean).join(", ")}
      title={t("chat.details")}
      onClick={onOpen}
    >
      <Icon name="info" />
      {asked && <span className="count" aria-hidden="true" data-count={requests.length} />}
    </button>
  );
}

function GroupLine({ item }: { item: InboxItem }) {
  const { t } = useI18n();
  const { members } = useMembers();
  const count = members.length || item.member_count || 0;
  const parts = [count > 0 && t("chat.members", { n: count }), item.topic && unturned(item.topic)];
  return (
    <p>
      <bdi>{parts.filter(Boolean).join(" · ")}</bdi>
    </p>
  );
}

function PresenceLine({ user }: { user: string }) {
  const { t, ago } = useI18n();
  const { recordOf } = usePeople();
  const presence = useSeen(useMemo(() => [user], [user]))[user];
  if (recordOf(user)?.deactivated) return <p>{t("people.deactivated")}</p>;
  if (presence?.status === "online") return <p className="online">{t("chat.online")}</p>;
  return <p>{presence?.last_seen ? t("chat.lastSeen", { when: ago(presence.last_seen) }) : ""}</p>;
}
