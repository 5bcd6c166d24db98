/** All about a chat: its settings, and a group's name and members. */
import type { InboxItem } from "@parley/client";
import { useClient } from "@parley/react";
import { useState } from "react";
import { useI18n } from "../i18n";
import { useMembers } from "../lib/members";
import { otherOf, usePeople } from "../lib/names";
import { go } from "../lib/route";
import { type Settings, server } from "../lib/server";
import { Confirm } from "../ui/confirm";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { useToasts } from "../ui/toast";
import { GroupDetails } from "./group-details";
import { ReportDialog } from "./report";

const WEEK = 7 * 86_400_000;
const NOTIFY = ["all", "mentions", "none"] as const;

export function Details({
  id,
  item,
  name,
  onClose,
}: {
  id: string;
  item: InboxItem | undefined;
  name: string;
  onClose: () => void;
}) {
  const { t } = useI18n();
  const { isGroup } = useMembers();
  const { trying } = useToasts();
  const client = useClient();
  const [leaving, setLeaving] = useState(false);
  const ask = server(client);
  const set = (settings: Settings) => trying(ask.settings(id, settings).then(() => client.refreshInbox()));
  const leave = async () => {
    if (await trying(ask.leave(id).then(() => client.refreshInbox()))) go(null);
  };
  const isMuted = (item?.muted_until ?? 0) > Date.now();
  return (
    <Dialog title={name} onClose={onClose}>
      <div className="stack">
        {item && (
          <div className="settings">
            <button
              type="button"
              className="button"
              aria-pressed={item.pinned}
              onClick={() => void set({ pinned: !item.pinned })}
            >
              <Icon name="pin" size={18} />
              {t(item.pinned ? "details.unpin" : "details.pin")}
            </button>
            <button
              type="button"
              className="button"
              aria-pressed={isMuted}
              onClick={() => void set({ muted_until: isMuted ? null : Date.now() + WEEK })}
            >
              <Icon name="mute" size={18} />
              {t(isMuted ? "details.unmute" : "details.mute")}
            </button>
            <button
              type="button"
              className="button"
              aria-pressed={item.archived}
              onClick={() => void set({ archived: !item.archived })}
            >
              <Icon name="archive" size={18} />
              {t(item.archived ? "details.unarchive" : "details.archive")}
            </button>
          </div>
        )}
        {item && (
          <label className="labelled">
            <span>{t("details.notify")}</span>
            <select
              className="field"
              value={item.notify}
              onChange={(event) => void set({ notify: event.target.value as InboxItem["notify"] })}
            >
              {NOTIFY.map((one) => (
                <option key={one} value={one}>
                  {t(`details.notify.${one}`)}
                </option>
              ))}
            </select>
          </label>
        )}
        {isGroup ? <GroupDetails id={id} name={name} item={item} onClose={onClose} /> : <OtherUser id={id} />}
        <button type="button" className="button danger" onClick={() => (isGroup ? setLeaving(true) : void leave())}>
          {t(isGroup ? "details.leave" : "details.hide")}
        </button>
      </div>
      {leaving && (
        <Confirm
          text={t("details.leaveSure")}
          action={t("details.leave")}
          onClose={() => setLeaving(false)}
          onConfirm={() => void leave()}
        />
      )}
    </Dialog>
  );
}

function OtherUser({ id }: { id: string }) {
  const { t } = useI18n();
  const { me, isGuest, contacts, blocks, nameOf, refresh } = usePeople();
  const { trying } = useToasts();
  const client = useClient();
  const ask = server(client);
  const user = otherOf(id, me);
  const isBlocked = blocks.includes(user);
  const change = (work: Promise<unknown>) => void trying(work.then(refresh));
  const [reports, setReports] = useState(false);
  if (user === me) return null;
  return (
    <div className="settings">
      {reports && <ReportDialog of={{ user }} onClose={() => setReports(false)} />}
      {!isGuest && !contacts.some((one) => one.user_id === user) && (
        <button type="button" className="button" onClick={() => change(ask.askContact(user))}>
          <Icon name="people" size={18} />
          {t("details.contact")}
        </button>
      )}
      <button
        type="button"
        className="button"
        aria-pressed={isBlocked}
        onClick={() => change(isBlocked ? ask.unblock(user) : ask.block(user))}
      >
        <Icon name="block" size={18} />
        {t(isBlocked ? "details.unblock" : "details.block", { name: nameOf(user) })}
      </button>
      <button type="button" className="button" onClick={() => setReports(true)}>
        <Icon name="flag" size={18} />
        {t("report.user")}
      </button>
    </div>
  );
}
