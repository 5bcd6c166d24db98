/** Beginning a chat: with one user, or as a group. */
import { useClient } from "@parley/react";
import { type SubmitEvent, useId, useRef, useState } from "react";
import { useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { go } from "../lib/route";
import { server } from "../lib/server";
import { isUserId } from "../lib/session";
import { isLabel } from "../lib/text";
import { Dialog } from "../ui/dialog";
import { useToasts } from "../ui/toast";

export function userIds(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
}

/** Whether a text is users' ids, and nothing else. */
export function areUserIds(text: string): boolean {
  const ids = userIds(text);
  return ids.length > 0 && ids.every(isUserId);
}

export function NewChat({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const { me, contacts } = usePeople();
  const { trying } = useToasts();
  const client = useClient();
  const [kind, setKind] = useState<"private" | "group">("private");
  const [name, setName] = useState("");
  const [users, setUsers] = useState("");
  const [busy, setBusy] = useState(false);
  const request = useRef(crypto.randomUUID()); // the same for every try: a group is made once
  const id = useId();
  const ids = userIds(users);
  const isGood = ids.every(isUserId) && (kind === "private" ? ids.length === 1 && ids[0] !== me : isLabel(name.trim()));
  const begin = async () => {
    const ask = server(client);
    const made =
      kind === "private" ? await ask.begin(ids[0] as string) : await ask.createGroup(name.trim(), ids, request.current);
    await client.refreshInbox();
    onClose();
    go(made);
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
          {(["private", "group"] as const).map((one) => (
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
            spellCheck={false}
            autoFocus
          />
          {kind === "group" && <small>{t("new.membersHint")}</small>}
        </label>
        <datalist id={`${id}-known`}>
          {contacts.map((one) => (
            <option key={one.user_id} value={one.user_id} label={one.alias ?? undefined} />
          ))}
        </datalist>
        <button type="submit" className="button primary" disabled={!isGood || busy}>
          {t(kind === "private" ? "new.begin" : "new.create")}
        </button>
      </form>
    </Dialog>
  );
}
