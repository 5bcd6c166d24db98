/** Light, dark, or as the system is: an attribute that the style sheet looks at. */
import { keepSetting, setting } from "./kept";

export type Theme = "auto" | "light" | "dark";
export const THEMES: readonly Theme[] = ["auto", "light", "dark"];

export function theme(): Theme {
  const known = setting("theme");
  return THEMES.find((one) => one === known) ?? "auto";
}

export function applyTheme(next: Theme = theme()): void {
  document.documentElement.dataset.theme = next;
  keepSetting("theme", next);
}
