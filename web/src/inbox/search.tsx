/** Looking for a chat by its name. */
import type { InboxItem } from "@parley/client";
import { useI18n } from "../i18n";

export function SearchField({
  value,
  onChange,
  autoFocus = false,
}: {
  value: string;
  onChange: (text: string) => void;
  autoFocus?: boolean;
}) {
  const { t } = useI18n();
  return (
    <input
      type="search"
      className="field"
      dir="auto"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      aria-label={t("inbox.search")}
      placeholder={t("inbox.search")}
      // biome-ignore lint/a11y/noAutofocus: for a dialog, which is opened to search
      autoFocus={autoFocus}
    />
  );
}

/** Those that are called so; all of them where nothing is looked for. */
export function named(
  items: readonly InboxItem[],
  search: string,
  titleOf: (item: InboxItem) => string,
): readonly InboxItem[] {
  const wanted = search.trim().toLocaleLowerCase();
  return wanted ? items.filter((one) => titleOf(one).toLocaleLowerCase().includes(wanted)) : items;
}
