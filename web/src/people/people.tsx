/** Contacts with their names here, requests, and who is blocked. */
import { useClient } from "@parley/react";
import { useEffect } from "react";
import { useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { go } from "../lib/route";
import { type Contact, server } from "../lib/server";
import { isUserId } from "../lib/session";
import { isLabel } from "../lib/text";
import { Avatar } from "../ui/avatar";
import { Dialog } from "../ui/dialog";
import { InlineForm } from "../ui/inline-form";
import { useToasts } from "../ui/toast";

/** Does something about people, says what went wrong, and asks who they are now. */
function useChange() {
  const { refresh } = usePeople();
  const { trying } = useToasts();
  return (work: Promise<unknown>) => trying(work.then(refresh));
}

export function PeopleDialog({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const { me, contacts, blocks, nameOf, refresh } = usePeople();
  const { trying } = useToasts();
  const client = useClient();
  const change = useChange();
  useEffect(() => void trying(refresh()), [refresh, trying]); // nothing tells of a request: it is asked for
  return (
    <Dialog title={t("people.title")} onClose={onClose}>
      <h3>{t("people.contacts")}</h3>
      {!contacts.length && <p className="empty">{t("people.none")}</p>}
      <ul className="people">
        {contacts.map((one) => (
          <ContactRow key={one.user_id} contact={one} onClose={onClose} />
        ))}
      </ul>
      <InlineForm
        label={t("people.ask")}
        action={t("details.contact")}
        placeholder={t("people.ask")}
        isGood={(user) => isUserId(user) && user !== me}
        onSubmit={(user) => change(server(client).askContact(user))}
      />
      <h3>{t("people.blocked")}</h3>
      {!blocks.length && <p className="empty">{t("people.none")}</p>}
      <ul className="people">
        {blocks.map((user) => (
          <li key={user} className="person">
            <Avatar id={user} name={nameOf(user)} size="s" />
            <bdi className="person-name">{nameOf(user)}</bdi>
            <button type="button" className="button small" onClick={() => void change(server(client).unblock(user))}>
              {t("details.unblock", { name: user })}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function ContactRow({ contact, onClose }: { contact: Contact; onClose: () => void }) {
  const { t } = useI18n();
  const client = useClient();
  const change = useChange();
  const { trying } = useToasts();
  const ask = server(client);
  const { nameOf, recordOf } = usePeople();
  const { user_id: user, status, alias } = contact;
  const write = async () => {
    const id = await ask.begin(user);
    await client.refreshInbox();
    onClose();
    go(id);
  };
  const end = status === "accepted" ? "people.end" : status === "incoming" ? "people.decline" : "people.withdraw";
  return (
    <li className="person">
      <Avatar id={user} name={nameOf(user)} size="s" />
      <span className="person-name">
        <input
          className="field plain"
          dir="auto"
          defaultValue={alias ?? ""}
          placeholder={recordOf(user)?.name ?? user}
          aria-label={t("people.alias", { name: user })}
          maxLength={100}
          onBlur={(event) => {
            const next = event.target.value.trim() || null;
            if (next !== alias && (next === null || isLabel(next)))
              void change(ask.changeContact(user, { alias: next }));
          }}
        />
        <small>
          <bdi>{user}</bdi> · {t(recordOf(user)?.deactivated ? "people.deactivated" : `people.${status}`)}
        </small>
      </span>
      {status === "incoming" && (
        <button
          type="button"
          className="button small"
          onClick={() => void change(ask.changeContact(user, { status: "accepted" }))}
        >
          {t("people.accept")}
        </button>
      )}
      {status === "accepted" && (
        <button
          type="button"
          className="button small"
          aria-label={t("details.write", { name: user })}
          onClick={() => void trying(write())}
        >
          {t("signin.go")}
        </button>
      )}
      <button type="button" className="button small" onClick={() => void change(ask.endContact(user))}>
        {t(end)}
      </button>
    </li>
  );
}
