/** How people come into a group: by whom, by links, and who asks to; and how much is written. As far as one may. */
import type { InboxItem } from "@parley/client";
import { createInvite, decideRequest, type Invite, invites, revokeInvite } from "@parley/client/more";
import { useClient } from "@parley/react";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { useMembers } from "../lib/members";
import { usePeople } from "../lib/names";
import { useRequests } from "../lib/requests";
import { hrefOf } from "../lib/route";
import { Avatar } from "../ui/avatar";
import { Icon } from "../ui/icon";
import { useToasts } from "../ui/toast";
import { Calm } from "./calm";
import { useConversationChange } from "./use-conversation-change";

const WAYS = ["invite", "request", "open"] as const;
/** What of a group's history those see who come in. */
export const HISTORIES = ["all", "from_joining"] as const;
export type History = (typeof HISTORIES)[number];

export function GroupWays({ id, item }: { id: string; item: InboxItem | undefined }) {
  const { t } = useI18n();
  const { may } = useMembers();
  const set = useConversationChange(id);
  return (
    <>
      {may("change_join") && (
        <label className="labelled">
          <span>{t("ways.title")}</span>
          <select
            className="field"
            value={item?.join ?? "invite"}
            onChange={(event) => set({ join: event.target.value as (typeof WAYS)[number] })}
          >
            {WAYS.map((one) => (
              <option key={one} value={one}>
                {t(`ways.${one}`)}
              </option>
            ))}
          </select>
        </label>
      )}
      {may("change_history") && (
        <HistoryField value={item?.history ?? "all"} onChange={(history) => set({ history })} />
      )}
      {may("decide_requests") && <Requests id={id} />}
      <Links id={id} />
      <Calm id={id} item={item} />
    </>
  );
}

export function HistoryField({ value, onChange }: { value: History; onChange: (history: History) => void }) {
  const { t } = useI18n();
  return (
    <label className="labelled">
      <span>{t("history.title")}</span>
      <select className="field" value={value} onChange={(event) => onChange(event.target.value as History)}>
        {HISTORIES.map((one) => (
          <option key={one} value={one}>
            {t(`history.${one}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Requests({ id }: { id: string }) {
  const { t } = useI18n();
  const client = useClient();
  const { nameOf } = usePeople();
  const { trying } = useToasts();
  const { requests, refresh } = useRequests(id, true);
  if (!requests.length) return null;
  const decide = (user: string, status: "accepted" | "declined") =>
    void trying(decideRequest(client, id, user, status).then(refresh));
  return (
    <>
      <h3>{t("ways.requests", { n: requests.length })}</h3>
      <ul className="people">
        {requests.map(({ user_id: user }) => (
          <li key={user} className="person">
            <Avatar id={user} name={nameOf(user)} size="s" />
            <bdi className="person-name">{nameOf(user)}</bdi>
            <button type="button" className="button small" onClick={() => decide(user, "accepted")}>
              {t("ways.accept")}
            </button>
            <button type="button" className="button small" onClick={() => decide(user, "declined")}>
              {t("people.decline")}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Links({ id }: { id: string }) {
  const { t, when } = useI18n();
  const client = useClient();
  const { say, trying } = useToasts();
  const [links, setLinks] = useState<readonly Invite[]>([]);
  const [made, setMade] = useState<string | null>(null);
  const { may } = useMembers();
  const manages = may("manage_invites");
  const refresh = async () => setLinks(manages ? await invites(client, id) : []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each group, and where one comes to see them
  useEffect(() => void refresh().catch(() => undefined), [client, id, manages]);
  const make = async () => {
    const { token } = await createInvite(client, id);
    const address = `${location.origin}${location.pathname}${hrefOf(`invite/${token}`)}`;
    setMade(address); // shown this once
    await refresh();
    await navigator.clipboard.writeText(address).then(
      () => say(t("app.copied")),
      () => undefined, // it stands there to be copied
    );
  };
  return (
    <>
      {may("create_invites") && (
        <button type="button" className="button" onClick={() => void trying(make())}>
          <Icon name="link" size={18} />
          {t("ways.link")}
        </button>
      )}
      {made && <input className="field" readOnly value={made} aria-label={t("ways.made")} />}
      {links.length > 0 && (
        <ul className="people">
          {links.map(({ invite_id, expires_at, uses }) => (
            <li key={invite_id} className="person">
              <span className="person-name">
                {t("ways.uses", { n: uses })}
                <small>{expires_at ? t("ways.until", { when: when(expires_at) }) : t("ways.forever")}</small>
              </span>
              <button
                type="button"
                className="button small"
                onClick={() => void trying(revokeInvite(client, id, invite_id).then(refresh))}
              >
                {t("ways.revoke")}
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
