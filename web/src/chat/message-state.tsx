/** How far one's own message has come, and what can be done where it did not go. */
import type { DeliveryState, MessageItem } from "@parley/client";
import { useClient } from "@parley/react";
import { useI18n } from "../i18n";
import { problemIn } from "../lib/problems";
import { Icon, type IconName } from "../ui/icon";
import { useToasts } from "../ui/toast";
import { useUploads } from "./sending-files";

const ICONS: Readonly<Record<DeliveryState, IconName>> = {
  sending: "clock",
  sent: "check",
  delivered: "checks",
  read: "checks",
  failed: "warning",
};

export function State({ item: { state, error } }: { item: MessageItem }) {
  const { t } = useI18n();
  const shown = error?.code === "held" ? "held" : state;
  return (
    <span
      className={`state ${shown}`}
      role="img"
      aria-label={t(`message.state.${shown}`)}
      title={t(`message.state.${shown}`)}
    >
      <Icon name={shown === "held" ? "hourglass" : ICONS[shown]} size={15} />
    </span>
  );
}

export function Failed({ item }: { item: MessageItem }) {
  const { t } = useI18n();
  const client = useClient();
  const uploads = useUploads();
  const { trying } = useToasts();
  const { key, error } = item;
  const isFile = item.upload !== undefined && item.message.file_id === undefined;
  const resend = async () => {
    client.resend(key);
  };
  if (error?.code === "held") {
    return (
      <p className="waits" role="status">
        {t("message.held")}
      </p>
    );
  }
  return (
    <p className="failed" role="alert">
      <span>{t("message.failed", { error: error ? problemIn(t, error, isFile) : "" })}</span>
      {!isFile && (
        <button type="button" className="link" onClick={() => void trying(resend())}>
          {t("message.resend")}
        </button>
      )}
      <button type="button" className="link" onClick={() => uploads.discard(key)}>
        {t("message.discard")}
      </button>
    </p>
  );
}
