/** How much plain members may write, and for how long it is kept. For who may say so. */
import type { InboxItem } from "@parley/client";
import { useI18n } from "../i18n";
import { useMembers } from "../lib/members";
import { Icon } from "../ui/icon";
import { useConversationChange } from "./use-conversation-change";

const DAYS = [1, 7, 30, 90, 365];
/** In seconds. */
const SLOW = [0, 10, 30, 60, 300, 900, 3_600];

export function Calm({ id, item }: { id: string; item: InboxItem | undefined }) {
  const { t } = useI18n();
  const { may } = useMembers();
  const set = useConversationChange(id);
  const now = item?.slow_mode ?? 0;
  const kept = item?.retention_days ?? 0;
  return (
    <>
      {may("change_slow_mode") && (
        <label className="labelled">
          <span>{t("calm.slow")}</span>
          <select className="field" value={now} onChange={(event) => set({ slow_mode: Number(event.target.value) })}>
            {[...new Set([...SLOW, now])].map((one) => (
              <option key={one} value={one}>
                {one ? t("calm.every", { n: one }) : t("calm.none")}
              </option>
            ))}
          </select>
        </label>
      )}
      {may("change_retention") && (
        <label className="labelled">
          <span>{t("kept.title")}</span>
          <select
            className="field"
            value={kept}
            onChange={(event) => set({ retention_days: Number(event.target.value) || null })}
          >
            {[...new Set([0, ...DAYS, kept])].map((one) => (
              <option key={one} value={one}>
                {one ? t("kept.days", { n: one }) : t("kept.usual")}
              </option>
            ))}
          </select>
        </label>
      )}
      {may("freeze") && (
        <button
          type="button"
          className="button"
          aria-pressed={item?.frozen ?? false}
          onClick={() => set({ frozen: !item?.frozen })}
        >
          <Icon name="mute" size={18} />
          {t(item?.frozen ? "calm.thaw" : "calm.freeze")}
        </button>
      )}
    </>
  );
}
