import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fill, localeFor, preferred } from "../src/i18n";
import { en, type Key, type Table } from "../src/i18n/en";
import { asProblem, problemIn } from "../src/lib/problems";

const text = (name: string) => readFileSync(`${import.meta.dirname}/../../${name}`, "utf8");
const read = (name: string) =>
  JSON.parse(readFileSync(`${import.meta.dirname}/../src/i18n/${name}.json`, "utf8")) as Table;
const t = (table: Table, language: string) => (key: Key, values?: Record<string, string | number>) =>
  fill(table, new Intl.PluralRules(language), key, values);
const english = t(en, "en");

test("what others wrote stands apart in a text, whichever way it runs", () => {
  expect(english("notice.created", { who: "alice", name: "Tea" })).toBe("alice made the group “Tea”");
  expect(english("notice.renamed", { who: "alice", name: "a\u202egnp.exe" })).toBe(
    "alice renamed the group to “\u2068agnp.exe\u2069”",
  );
  expect(english("notice.added", { who: "דנה", users: "\u2069\u202e" })).toBe("\u2068דנה\u2069 added \u2068\u2069");
  expect(english("inbox.unread", { n: 2 })).toBe("2 unread messages");
});

test("a value is put in as it is, whatever it looks like", () => {
  expect(english("chat.typing2", { a: "{b}", b: "$&" })).toBe("{b} and $& are writing …");
});

test.each([
  ["empty", "", "the file is empty"],
  ["bad_request", "This content type is not taken. Those that are: …", "files of this kind are not taken"],
  ["too_large", "At most 104857600 bytes", "it is too large"],
  ["file_rejected", "The file was not taken: not_decodable", "the picture can't be read"],
  ["unreachable", "Failed to fetch", "there is no connection"],
  ["conflict", "All of a user's files together …", "there is no room left for your files"],
])("a file's problem is told in the page's words: %s", (code, error, words) => {
  expect(problemIn(english, { code, error }, true)).toBe(words);
  for (const language of ["de", "zh"]) {
    const told = problemIn(t(read(language), language), { code, error }, true);
    expect(told).not.toBe(words);
    expect(told).not.toBe(error);
  }
});

/** The codes of the protocol's table, and the client's own. */
const CODES = [
  ...text("docs/protocol.md").matchAll(/^\| `([a-z_]+)` \| \d{3} \|/gm),
  ...text("clients/js/src/errors.ts")
    .replace(/export class.*/s, "")
    .matchAll(/`([a-z_]+)`/g),
]
  .map((match) => match[1] ?? "")
  .filter((code) => code !== "code" && code !== "retryable");

test("every code has words of its own, in each language", () => {
  expect(CODES.length).toBeGreaterThan(20);
  expect(CODES).toEqual(expect.arrayContaining(["unauthenticated", "sync_required", "not_saved", "log_lost"]));
  for (const language of ["en", "de", "zh"]) {
    const table = language === "en" ? en : read(language);
    const told = t(table, language);
    for (const code of [...CODES, "revoked", "connection_limit", "expired"]) {
      for (const isFile of [true, false]) {
        const words = problemIn(told, { code, error: "Raw words of the server" }, isFile);
        expect(words, `${language}: ${code}`).not.toBe(table["error.other"]);
        expect(Object.values(table)).toContain(words);
      }
    }
  }
});

test("a problem that has no words is told in a general sentence, and never in the server's", () => {
  for (const code of ["", "brand_new", "toString", "__proto__"]) {
    expect(problemIn(english, { code, error: "The moon is full" })).toBe(en["error.other"]);
    expect(problemIn(english, { code, error: "The moon is full" }, true)).toBe(en["error.other"]);
  }
  expect(problemIn(english, asProblem(new Error("The moon is full")))).toBe(en["error.other"]);
  expect(problemIn(english, asProblem({ code: "blocked", reason: "…" }))).toContain("does not take messages");
});

test("the language is the first that there is", () => {
  expect(preferred(["", "fr", "de-AT", "en"])).toBe("de");
  expect(preferred([])).toBe("en");
  expect(preferred(["__proto__", "toString"])).toBe("en");
  expect(localeFor("en", ["en-US@posix"])).toBe("en");
});
