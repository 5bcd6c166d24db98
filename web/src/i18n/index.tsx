/** The page's language: the tables, which one is in use, and dates and lists in its manner. */
import { createContext, type ReactNode, useContext, useLayoutEffect, useMemo, useState } from "react";
import { keepSetting, setting } from "../lib/kept";
import { isolated } from "../lib/text";
import { en, type Key, type Table } from "./en";

export const LANGUAGES = { en: "English", de: "Deutsch", zh: "中文" } as const;
export type Language = keyof typeof LANGUAGES;
export type Words = { language: Language; table: Table };
/** The other tables are fetched where they are wanted: nobody reads in three languages at once. */
const FILES: Readonly<Partial<Record<Language, string>>> = {
  de: new URL("./de.json", import.meta.url).href,
  zh: new URL("./zh.json", import.meta.url).href,
};
const ENGLISH: Words = { language: "en", table: en };
const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);

export type Values = Readonly<Record<string, string | number>>;
export interface I18n {
  language: Language;
  /** Rejects where its words can't be had. */
  setLanguage(language: Language): Promise<void>;
  /** The text of a key, with its values; `n` chooses between one and many. */
  t(key: Key, values?: Values): string;
  /** 14:05 */
  time(at: number): string;
  /** Today, Yesterday, Monday, 3 May */
  day(at: number): string;
  /** Within a sentence: today at 14:05, on 3 May at 14:05 */
  when(at: number): string;
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
    if (Object.hasOwn(LANGUAGES, language)) return language;
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

/** Texts that are filled in are others' words: they stand apart, whichever way they run. */
export function fill(table: Table, rules: Intl.PluralRules, key: Key, values: Values = {}): string {
  const forms = table[key].split("|");
  const form = forms.length > 1 && typeof values.n === "number" && rules.select(values.n) !== "one" ? 1 : 0;
  return (forms[form] ?? "").replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? String(value) : isolated(value);
  });
}

async function wordsOf(language: Language): Promise<Words> {
  const file = FILES[language];
  if (!file) return ENGLISH;
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`${language}: ${answer.status}`);
  return { language, table: { ...en, ...((await answer.json()) as Partial<Table>) } };
}

/** The words to begin with; English ones where the others can't be had. */
export function preferredWords(): Promise<Words> {
  return wordsOf(preferred([setting("language") ?? "", ...navigator.languages])).catch(() => ENGLISH);
}

export function I18nProvider({ first, children }: { first: Words; children: ReactNode }) {
  const [words, setWords] = useState(first);
  const { language } = words;
  useLayoutEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dir = setting("dir") ?? (RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr");
  }, [language]);
  const value = useMemo(
    () =>
      make(words, async (next) => {
        const found = await wordsOf(next);
        keepSetting("language", next);
        setWords(found);
      }),
    [words],
  );
  return <Context value={value}>{children}</Context>;
}

const DAY = 86_400_000;

function make({ language, table }: Words, setLanguage: I18n["setLanguage"]): I18n {
  const rules = new Intl.PluralRules(language);
  const locale = localeFor(language, navigator.languages);
  const times = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const weekdays = new Intl.DateTimeFormat(locale, { weekday: "long" });
  const dates = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long" });
  const years = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const lists = new Intl.ListFormat(language);
  const date = (at: number) => (new Date(at).getFullYear() === new Date().getFullYear() ? dates : years).format(at);
  const day = (at: number) => {
    const away = Math.round((midnight(Date.now()) - midnight(at)) / DAY);
    if (away >= 0 && away < 2) return capital(relative.format(-away, "day"));
    if (away >= 2 && away < 7) return weekdays.format(at);
    return date(at);
  };
  const t: I18n["t"] = (key, values) => fill(table, rules, key, values);
  const when = (at: number) => {
    const ahead = Math.round((midnight(at) - midnight(Date.now())) / DAY);
    const isNear = ahead === 0 || ahead === 1;
    const values = { day: isNear ? relative.format(ahead, "day") : date(at), time: times.format(at) };
    return t(isNear ? "when.near" : "when.on", values);
  };
  return {
    language,
    setLanguage,
    t,
    when,
    time: (at) => times.format(at),
    day,
    stamp: (at) => (midnight(at) === midnight(Date.now()) ? times.format(at) : day(at)),
    ago: (at) => ago(relative, at),
    list: (names) => lists.format(names.map((name) => isolated(name))),
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
