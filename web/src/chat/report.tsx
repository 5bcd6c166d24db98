/** Telling the moderators of a message or a user: why, and in more words where there are any. */
import { type Reason, reportMessage, reportUser } from "@parley/client/more";
import { useClient } from "@parley/react";
import { type SubmitEvent, useId, useState } from "react";
import { useI18n } from "../i18n";
import { Dialog } from "../ui/dialog";
import { useToasts } from "../ui/toast";

const REASONS = ["spam", "abuse", "violence", "other"] as const;
const LONGEST = 1_000;

type Of = { user: string } | { conversation: string; seq: number };

export function ReportDialog({ of, onClose }: { of: Of; onClose: () => void }) {
  const { t } = useI18n();
  const { say, trying } = useToasts();
  const client = useClient();
  const [reason, setReason] = useState<string | null>(null);
  const [comment, setComment] = useState("");
  const name = useId();
  const report = async () => {
    const why: Reason = { reason: reason ?? "other", ...(comment.trim() && { comment: comment.trim() }) };
    await ("user" in of ? reportUser(client, of.user, why) : reportMessage(client, of.conversation, of.seq, why));
    onClose();
    say(t("report.done"));
  };
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (reason) void trying(report());
  };
  return (
    <Dialog title={t("user" in of ? "report.user" : "report.message")} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <fieldset className="choices">
          <legend>{t("report.why")}</legend>
          {REASONS.map((one) => (
            <label key={one}>
              <input type="radio" name={name} checked={reason === one} onChange={() => setReason(one)} />
              <span>{t(`report.reason.${one}`)}</span>
            </label>
          ))}
        </fieldset>
        <label className="labelled">
          <span>{t("report.comment")}</span>
          <textarea
            className="field"
            dir="auto"
            rows={3}
            maxLength={LONGEST}
            value={comment}
            onChange={(event) => setComment(event.target.value)}
          />
        </label>
        <button type="submit" className="button danger" disabled={!reason}>
          {t("report.send")}
        </button>
      </form>
    </Dialog>
  );
}
