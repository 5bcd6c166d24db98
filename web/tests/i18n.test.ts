import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fill, localeFor, preferred } from "../src/i18n";
import { en, type Key, type Table } from "../src/i18n/en";
import { asProblem, problemIn } from "../src/lib/problems";

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

test("a problem that has no words is told in its own", () => {
  expect(problemIn(english, asProblem(new Error("The moon is full")))).toBe("The moon is full");
  expect(problemIn(english, { code: "conflict", error: "It was used before" })).toBe("It was used before");
  expect(problemIn(english, asProblem({ code: "blocked", reason: "…" }))).toContain("does not take messages");
});

test("the language is the first that there is", () => {
  expect(preferred(["", "fr", "de-AT", "en"])).toBe("de");
  expect(preferred([])).toBe("en");
  expect(preferred(["__proto__", "toString"])).toBe("en");
  expect(localeFor("en", ["en-US@posix"])).toBe("en");
});
