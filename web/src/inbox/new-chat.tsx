/** Beginning a chat: with one user, as a group, or by joining a channel. Users are found by their names, where the directory has them. */
import { joinChannel } from "@parley/client/more";
import { useClient } from "@parley/react";
import { type SubmitEvent, useId, useRef, useState } from "react";
import { type History, HistoryField } from "../chat/group-ways";
import { useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { go } from "../lib/route";
import { server } from "../lib/server";
import { isUserId } from "../lib/session";
import { isLabel } from "../lib/text";
import { Dialog } from "../ui/dialog";
import { useToasts } from "../ui/toast";
import { FoundUsers, lastOf, withLast } from "./found-users";

export function userIds(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
}

/** Whether a text is users' ids, and nothing else. */
export function areUserIds(text: string): boolean {
  const ids = userIds(text);
  return ids.length > 0 && ids.every(isUserId);
}

const KINDS = ["private", "group", "channel"] as const;

/** The id of a channel: alone, or in an address of this page. */
function channelIn(text: string): string | null {
  const last = text.trim().split("#/").at(-1) ?? "";
  const id = last.replace(/^channel%3[aA]/, "channel:");
  return /^channel:[A-Za-z0-9_-]{1,64}$/.test(id) ? id : null;
}

export function NewChat({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const { me, contacts } = usePeople();
  const { trying } = useToasts();
  const client = useClient();
  const [kind, setKind] = useState<(typeof KINDS)[number]>("private");
  const [channel, setChannel] = useState("");
  const [name, setName] = useState("");
  const [users, setUsers] = useState("");
  const [history, setHistory] = useState<History>("all");
  const [busy, setBusy] = useState(false);
  const request = useRef(crypto.randomUUID()); // the same for every try: a group is made once
  const id = useId();
  const ids = userIds(users);
  const channelId = channelIn(channel);
  const isGood =
    kind === "channel"
      ? channelId !== null
      : ids.every(isUserId) && (kind === "private" ? ids.length === 1 && ids[0] !== me : isLabel(name.trim()));
  const begin = async (user = ids[0] as string) => {
    const ask = server(client);
    const made =
      kind === "private"
        ? await ask.begin(user)
        : kind === "group"
          ? await ask.createGroup({ name: name.trim(), members: ids, history, client_conversation_id: request.current })
          : (await joinChannel(client, channelId as string)).id;
    await client.refreshInbox();
    onClose();
    go(made);
  };
  const pick = (user: string) => {
    if (kind === "private") void trying(begin(user));
    else setUsers(withLast(users, user));
  };
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!isGood || busy) return;
    setBusy(true);
    await trying(begin());
    setBusy(false);
  };
  return (
    <Dialog title={t("new.title")} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <div className="tabs" role="radiogroup" aria-label={t("new.title")}>
          {KINDS.map((one) => (
            <label key={one} className="tab">
              <input type="radio" name={id} checked={kind === one} onChange={() => setKind(one)} />
              <span>{t(`new.${one}`)}</span>
            </label>
          ))}
        </div>
        {kind === "group" && (
          <label className="labelled">
            <span>{t("new.name")}</span>
            <input
              className="field"
              dir="auto"
              value={name}
              maxLength={100}
              onChange={(event) => setName(event.target.value)}
            />
          </label>
        )}
        {kind === "channel" ? (
          <label className="labelled">
            <span>{t("new.channelId")}</span>
            <input
              className="field"
              value={channel}
              onChange={(event) => setChannel(event.target.value)}
              placeholder="channel:…"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
            />
          </label>
        ) : (
          <>
            <label className="labelled">
              <span>{t(kind === "private" ? "new.with" : "new.members")}</span>
              <input
                className="field"
                value={users}
                onChange={(event) => setUsers(event.target.value)}
                list={`${id}-known`}
                placeholder={kind === "private" ? "bob" : "bob, carol"}
                autoComplete="off"
                autoCapitalize="none"
                autoFocus
                spellCheck={false}
              />
              <small>{t(kind === "group" ? "new.membersHint" : "new.withHint")}</small>
            </label>
            <datalist id={`${id}-known`}>
              {contacts.map((one) => (
                <option key={one.user_id} value={one.user_id} label={one.alias ?? undefined} />
              ))}
            </datalist>
            {kind === "group" && <HistoryField value={history} onChange={setHistory} />}
            <FoundUsers begin={lastOf(users, kind === "private")} onPick={pick} />
          </>
        )}
        <button type="submit" className="button primary" disabled={!isGood || busy}>
          {t(kind === "private" ? "new.begin" : kind === "group" ? "new.create" : "new.join")}
        </button>
      </form>
    </Dialog>
  );
}
