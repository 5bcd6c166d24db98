/** Who is writing, in words. */
import { useI18n } from "../i18n";
import { usePeople } from "./names";

export function useTypingText(users: readonly string[]): string {
  const { t } = useI18n();
  const { nameOf } = usePeople();
  const [a, b] = users.map(nameOf);
  if (!a) return "";
  if (!b) return t("chat.typing1", { a });
  return users.length === 2 ? t("chat.typing2", { a, b }) : t("chat.typingMany");
}
