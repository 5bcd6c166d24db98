/** Choosing when to be told of a message again. */
import { useClient } from "@parley/react";
import { useState } from "react";
import { useI18n } from "../i18n";
import { server } from "../lib/server";
import { Dialog } from "../ui/dialog";
import { useToasts } from "../ui/toast";

const HOUR = 3_600_000;

/** The next time that the clock shows this hour, `days` from now. */
function clock(hour: number, days: number): number {
  const at = new Date();
  at.setDate(at.getDate() + days);
  return at.setHours(hour, 0, 0, 0);
}

export function RemindDialog({
  conversation,
  seq,
  onClose,
}: {
  conversation: string;
  seq: number;
  onClose: () => void;
}) {
  const i18n = useI18n();
  const { t } = i18n;
  const { say, trying } = useToasts();
  const client = useClient();
  const [other, setOther] = useState("");
  const choices = [
    ["remind.hour", Date.now() + HOUR],
    ["remind.evening", clock(18, 0)],
    ["remind.tomorrow", clock(9, 1)],
    ["remind.week", Date.now() + 7 * 24 * HOUR],
  ] as const;
  const remind = async (at: number) => {
    onClose();
    if (await trying(server(client).remind(conversation, seq, at))) say(t("remind.set", { when: i18n.when(at) }));
  };
  const at = other ? new Date(other).getTime() : Number.NaN;
  return (
    <Dialog title={t("remind.title")} onClose={onClose}>
      <ul className="choices">
        {choices.map(
          ([key, when]) =>
            when > Date.now() && (
              <li key={key}>
                <button type="button" className="button wide" onClick={() => void remind(when)}>
                  {t(key)}
                </button>
              </li>
            ),
        )}
      </ul>
      <form
        className="inline"
        onSubmit={(event) => {
          event.preventDefault();
          void remind(at);
        }}
      >
        <input
          type="datetime-local"
          className="field"
          value={other}
          onChange={(event) => setOther(event.target.value)}
          aria-label={t("remind.at")}
        />
        <button type="submit" className="button" disabled={!(at > Date.now())}>
          {t("message.remind")}
        </button>
      </form>
    </Dialog>
  );
}
