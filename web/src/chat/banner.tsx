/** What stands between the page and the server, while something does. */
import { useClient, useConnection } from "@parley/react";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { banIn, problemIn } from "../lib/problems";
import { Icon } from "../ui/icon";

/** Connecting is normal and mostly short: it is worth a line only where it lasts. */
const PATIENCE_MS = 1_500;

export function ConnectionBanner() {
  const { t, when } = useI18n();
  const client = useClient();
  const { state, code = "", reason = "", until } = useConnection();
  const [lasts, setLasts] = useState(false);
  const isBusy = state === "connecting" || state === "catching_up";
  useEffect(() => {
    setLasts(false);
    if (!isBusy) return;
    const timer = setTimeout(() => setLasts(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isBusy]);
  const connect = () => {
    if (state === "ended") void client.start().catch(() => undefined);
    else client.reconnect();
  };
  const isBanned = state === "ended" && code === "banned";
  const shows = state === "offline" || state === "ended" || (isBusy && lasts);
  return (
    <div className="banner-place" role="status">
      {shows && (
        <p className={`banner ${state}`}>
          <Icon name={isBusy ? "clock" : "warning"} size={18} />
          <span>
            {isBanned
              ? banIn({ t, when }, until)
              : t(`connection.${state as "offline"}`, { reason: problemIn(t, { code, error: reason }) })}
          </span>
          {(state === "offline" || state === "ended") && (
            <button type="button" className="button small" onClick={connect}>
              {t("connection.retry")}
            </button>
          )}
        </p>
      )}
    </div>
  );
}
