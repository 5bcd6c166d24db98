/** Above the messages: the latest pinned one, and how many there are. A click shows it; the next click the one before. */
import { useClient } from "@parley/react";
import { useState } from "react";
import { useI18n } from "../i18n";
import { textOf } from "../inbox/row";
import { usePins } from "../lib/pins";
import { Icon } from "../ui/icon";
import { useToasts } from "../ui/toast";

export function Pinned({ id }: { id: string }) {
  const { t } = useI18n();
  const { trying } = useToasts();
  const { pins } = usePins();
  const client = useClient();
  const [turn, setTurn] = useState(0);
  const shown = pins[turn % (pins.length || 1)];
  if (!shown) return null;
  const show = () => {
    void trying(client.jumpTo(id, shown.seq));
    setTurn(turn + 1);
  };
  return (
    <button type="button" className="pinned" onClick={show}>
      <Icon name="pin" size={16} />
      <span className="pinned-text">
        <small>{t("pins.title", { n: pins.length })}</small>
        <bdi>{shown.message ? textOf(shown.message as never, t) : "…"}</bdi>
      </span>
    </button>
  );
}
