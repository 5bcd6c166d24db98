import { expect, test } from "vitest";
import { crowdsFor, mentionOf, writtenAs } from "../src/lib/everyone";
import { mentionsIn, pieces } from "../src/lib/text";

/** As the composer does it. */
function mentioned(text: string, users: readonly string[], may: (permission: string) => boolean): string[] {
  return mentionsIn(text, [...users, ...crowdsFor(may, users)]).map((one) => mentionOf(one, users));
}
const all = () => true;

test("everyone and who is here are mentioned by those who may, and are words for others", () => {
  expect(mentioned("@all, and @here: @bob", ["bob"], all)).toEqual(["@all", "@here", "bob"]);
  expect(mentioned("@all, and @here", ["bob"], (one) => one === "mention_here")).toEqual(["@here"]);
  expect(mentioned("@all @bob", ["bob"], () => false)).toEqual(["bob"]);
  expect(mentioned("@allison @hereby", ["bob"], all)).toEqual([]);
});

test("a member of that name is who is meant", () => {
  expect(crowdsFor(all, ["all", "bob"])).toEqual(["here"]);
  expect(mentioned("@all @here", ["all", "bob"], all)).toEqual(["all", "@here"]);
});

test("a message shows them as mentions", () => {
  expect(pieces("hi @all", ["@all"].map(writtenAs)).at(-1)).toEqual({ kind: "mention", text: "@all" });
  expect(["@here", "bob", "@alice"].map(writtenAs)).toEqual(["here", "bob", "@alice"]);
});
