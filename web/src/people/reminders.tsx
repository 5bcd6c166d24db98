/** The reminders that wait, the next one first. */
import { useClient } from "@parley/react";
import { useCallback, useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { type Reminder, server } from "../lib/server";
import { Dialog } from "../ui/dialog";
import { useToasts } from "../ui/toast";

export function RemindersDialog({ onClose }: { onClose: () => void }) {
  const i18n = useI18n();
  const client = useClient();
  const { titleOf } = usePeople();
  const { trying } = useToasts();
  const [reminders, setReminders] = useState<readonly Reminder[]>([]);
  const refresh = useCallback(async () => setReminders(await server(client).reminders()), [client]);
  useEffect(() => void trying(refresh()), [refresh, trying]);
  const cancel = (id: string) => trying(server(client).cancelReminder(id).then(refresh));
  return (
    <Dialog title={i18n.t("remind.waiting")} onClose={onClose}>
      {!reminders.length && <p className="empty">{i18n.t("remind.none")}</p>}
      <ul className="people">
        {reminders.map((one) => {
          const where = client.conversation(one.conversation_id);
          return (
            <li key={one.reminder_id} className="person">
              <span className="person-name">
                <bdi>{where ? titleOf(where) : one.conversation_id}</bdi>
                <small>
                  {i18n.day(one.at)}, {i18n.time(one.at)}
                </small>
              </span>
              <button type="button" className="button small" onClick={() => void cancel(one.reminder_id)}>
                {i18n.t("app.cancel")}
              </button>
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}
