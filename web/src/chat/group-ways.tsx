/** How people come into a group: by whom, by links, and who asks to. For its owners and admins. */
import type { InboxItem } from "@parley/client";
import {
  type ConversationChange,
  createInvite,
  decideRequest,
  type Invite,
  invites,
  revokeInvite,
  updateConversation,
} from "@parley/client/more";
import { useClient } from "@parley/react";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { useRequests } from "../lib/requests";
import { hrefOf } from "../lib/route";
import { Avatar } from "../ui/avatar";
import { Icon } from "../ui/icon";
import { useToasts } from "../ui/toast";

const WAYS = ["invite", "request", "open"] as const;
/** What of a group's history those see who come in. */
export const HISTORIES = ["all", "from_joining"] as const;
export type History = (typeof HISTORIES)[number];

/** What the group says of itself is another from now on. */
function useChange(id: string): (change: ConversationChange) => void {
  const client = useClient();
  const { trying } = useToasts();
  return (change) => void trying(updateConversation(client, id, change).then(() => client.refreshInbox()));
}

export function GroupWays({ id, item }: { id: string; item: InboxItem | undefined }) {
  const { t } = useI18n();
  const set = useChange(id);
  return (
    <>
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
      <HistoryField value={item?.history ?? "all"} onChange={(history) => set({ history })} />
      <Requests id={id} />
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

/** In seconds. */
const SLOW = [0, 10, 30, 60, 300, 900, 3_600];

/** How much plain members may write. */
function Calm({ id, item }: { id: string; item: InboxItem | undefined }) {
  const { t } = useI18n();
  const set = useChange(id);
  const now = item?.slow_mode ?? 0;
  return (
    <>
      <label className="labelled">
        <span>{t("calm.slow")}</span>
        <select className="field" value={now} onChange={(event) => set({ slow_mode: Number(event.target.value) })}>
          {[...new Set([...SLOW, now])].map((one) => (
            <option key={one} value={one}>
              {one ? t("calm.every", { n: one }) : t("calm.none")}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        className="button"
        aria-pressed={item?.frozen ?? false}
        onClick={() => set({ frozen: !item?.frozen })}
      >
        <Icon name="mute" size={18} />
        {t(item?.frozen ? "calm.thaw" : "calm.freeze")}
      </button>
    </>
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
  const refresh = async () => setLinks(await invites(client, id));
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each group
  useEffect(() => void refresh().catch(() => undefined), [client, id]);
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
      <button type="button" className="button" onClick={() => void trying(make())}>
        <Icon name="link" size={18} />
        {t("ways.link")}
      </button>
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
