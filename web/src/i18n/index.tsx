/** The page's language: the tables, which one is in use, and dates and lists in its manner. */
import { createContext, type ReactNode, useContext, useLayoutEffect, useMemo, useState } from "react";
import { keep, kept } from "../lib/kept";
import { de } from "./de";
import { en, type Key, type Table } from "./en";
import { zh } from "./zh";

export const TABLES = { en, de, zh } as const satisfies Record<string, Table>;
export type Language = keyof typeof TABLES;
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", de: "Deutsch", zh: "中文" };
const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);

export type Values = Readonly<Record<string, string | number>>;
export interface I18n {
  language: Language;
  setLanguage(language: Language): void;
  /** The text of a key, with its values; `n` chooses between one and many. */
  t(key: Key, values?: Values): string;
  /** 14:05 */
  time(at: number): string;
  /** Today, Yesterday, Monday, 3 May */
  day(at: number): string;
  /** Short, for lists: the time today, else the day. */
  stamp(at: number): string;
  /** 5 minutes ago */
  ago(at: number): string;
  list(names: readonly string[]): string;
  size(bytes: number): string;
}

const Context = createContext<I18n | null>(null);

export function useI18n(): I18n {
  const found = useContext(Context);
  if (!found) throw new Error("there is no I18nProvider above");
  return found;
}

export function preferred(wanted: readonly string[]): Language {
  for (const name of wanted) {
    const language = name.toLowerCase().split("-")[0] as Language;
    if (language in TABLES) return language;
  }
  return "en";
}

/** The first of the browser's tags for this language that is one: where the system has no language, Chromium's is `en-US@posix`. */
export function localeFor(language: Language, wanted: readonly string[]): string {
  return wanted.find((one) => one.toLowerCase().split("-")[0] === language && isTag(one)) ?? language;
}

function isTag(name: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(name).length > 0;
  } catch {
    return false;
  }
}

export function fill(table: Table, rules: Intl.PluralRules, key: Key, values: Values = {}): string {
  const forms = table[key].split("|");
  const form = forms.length > 1 && typeof values.n === "number" && rules.select(values.n) !== "one" ? 1 : 0;
  return (forms[form] ?? "").replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(() => preferred([kept("language") ?? "", ...navigator.languages]));
  useLayoutEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dir = kept("dir") ?? (RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr");
  }, [language]);
  const value = useMemo(
    () =>
      make(language, (next) => {
        keep("language", next);
        setLanguage(next);
      }),
    [language],
  );
  return <Context value={value}>{children}</Context>;
}

const DAY = 86_400_000;

function make(language: Language, setLanguage: (next: Language) => void): I18n {
  const table = TABLES[language];
  const rules = new Intl.PluralRules(language);
  const locale = localeFor(language, navigator.languages);
  const times = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const weekdays = new Intl.DateTimeFormat(locale, { weekday: "long" });
  const dates = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long" });
  const years = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const lists = new Intl.ListFormat(language);
  const day = (at: number) => {
    const away = Math.round((midnight(Date.now()) - midnight(at)) / DAY);
    if (away >= 0 && away < 2) return capital(relative.format(-away, "day"));
    if (away >= 2 && away < 7) return weekdays.format(at);
    return (new Date(at).getFullYear() === new Date().getFullYear() ? dates : years).format(at);
  };
  return {
    language,
    setLanguage,
    t: (key, values) => fill(table, rules, key, values),
    time: (at) => times.format(at),
    day,
    stamp: (at) => (midnight(at) === midnight(Date.now()) ? times.format(at) : day(at)),
    ago: (at) => ago(relative, at),
    list: (names) => lists.format(names),
    size: (bytes) => size(language, bytes),
  };
}

function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

function ago(relative: Intl.RelativeTimeFormat, at: number): string {
  const seconds = (at - Date.now()) / 1_000;
  for (const [unit, length] of [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ] as const) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return relative.format(0, "minute");
}

function size(language: string, bytes: number): string {
  const [unit, length] = bytes < 1_000_000 ? (["kilobyte", 1_000] as const) : (["megabyte", 1_000_000] as const);
  const style = { style: "unit", unit, maximumFractionDigits: bytes < 10_000_000 ? 1 : 0 } as const;
  return new Intl.NumberFormat(language, style).format(Math.max(bytes / length, 0.1));
}
