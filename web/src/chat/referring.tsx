/** Above the composer: which message is replied to, or edited. */
import { useI18n } from "../i18n";
import { textOf } from "../inbox/row";
import type { Reference } from "../lib/drafts";
import { usePeople } from "../lib/names";
import { Icon } from "../ui/icon";

export function Referring({ reference: { kind, message }, onStop }: { reference: Reference; onStop: () => void }) {
  const { t } = useI18n();
  const { nameOf } = usePeople();
  return (
    <div className="referring">
      <Icon name={kind === "reply" ? "reply" : "edit"} size={18} />
      <div className="referring-text">
        <b>{kind === "reply" ? t("compose.replying", { name: nameOf(message.sender_id) }) : t("compose.editing")}</b>
        <p dir="auto">{textOf(message, t)}</p>
      </div>
      <button type="button" className="icon-button small" aria-label={t("compose.stop")} onClick={onStop}>
        <Icon name="close" size={18} />
      </button>
    </div>
  );
}
