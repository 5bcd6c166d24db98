import { expect, test } from "vitest";
import { initialOf, isBlank, isLabel, isolated, pieces, unturned } from "../src/lib/text";

const RLO = "\u202e";

test.each([
  "",
  " ",
  "\n\t",
  "\u200b",
  "\u2060\ufeff",
  "\u00ad",
  "\u3164",
  "\u2800",
  "\u{e0041}",
  "\u202e\u202c",
  "\ufe0f",
])("what shows nothing is blank: %j", (text) => {
  expect(isBlank(text)).toBe(true);
  expect(isLabel(text)).toBe(false);
});

test.each(["a", "\u200ba", "👍", "。", "א", ".", "\u0301", "\u{e01ef}x"])("what shows something is not: %j", (text) => {
  expect(isBlank(text)).toBe(false);
});

test("a name is one line", () => {
  expect(isLabel("Tea at four")).toBe(true);
  expect(isLabel("Tea\nat four")).toBe(false);
  expect(isLabel("Tea\u2028at four")).toBe(false);
});

test("a name stands apart from the text around it, whatever marks it holds", () => {
  expect(isolated("bob-3")).toBe("bob-3");
  expect(isolated("Tea at four")).toBe("Tea at four");
  expect(isolated("שלום")).toBe("\u2068שלום\u2069");
  expect(isolated(`abc${RLO}def`)).toBe("\u2068abcdef\u2069");
  expect(isolated("\u2069\u202eout of it")).toBe("\u2068out of it\u2069");
  expect(isolated("👍 bob!", "ltr")).toBe("👍 bob!");
  expect(isolated("bob!", "rtl")).toBe("\u2068bob!\u2069");
  expect(isolated("bob-3", "rtl")).toBe("bob-3");
});

test("a file's name says what it is", () => {
  expect(unturned(`photo${RLO}gpj.exe`)).toBe("photogpj.exe");
});

test("a link ends where a mark would turn it", () => {
  expect(pieces(`https://good.example/${RLO}moc.live`)).toEqual([
    { kind: "link", text: "https://good.example/" },
    { kind: "text", text: `${RLO}moc.live` },
  ]);
});

test.each([
  ["bob", "B"],
  ["@bob", "B"],
  ["x", "X"],
  [`${RLO}\u200bbob`, "B"],
  ["👨‍👩‍👧 family", "👨‍👩‍👧"],
  ["🇩🇪", "🇩🇪"],
  ["é", "É"],
  ["ß", "SS"],
  ["\u200b", "?"],
  ["@", "?"],
])("the first letter of %j is %s", (name, letter) => {
  expect(initialOf(name)).toBe(letter);
});
