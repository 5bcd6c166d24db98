import { expect, test } from "vitest";
import { crowdsFor, mentionOf, writtenAs } from "../src/lib/everyone";
import { mentionsIn, pieces } from "../src/lib/text";

/** As the composer does it. */
function mentioned(text: string, users: readonly string[], mayMentionAll: boolean): string[] {
  return mentionsIn(text, [...users, ...crowdsFor(mayMentionAll, users)]).map((one) => mentionOf(one, users));
}

test("everyone and who is here are mentioned by those who may, and are words for others", () => {
  expect(mentioned("@all, and @here: @bob", ["bob"], true)).toEqual(["@all", "@here", "bob"]);
  expect(mentioned("@all @bob", ["bob"], false)).toEqual(["bob"]);
  expect(mentioned("@allison @hereby", ["bob"], true)).toEqual([]);
});

test("a member of that name is who is meant", () => {
  expect(crowdsFor(true, ["all", "bob"])).toEqual(["here"]);
  expect(mentioned("@all @here", ["all", "bob"], true)).toEqual(["all", "@here"]);
});

test("a message shows them as mentions", () => {
  expect(pieces("hi @all", ["@all"].map(writtenAs)).at(-1)).toEqual({ kind: "mention", text: "@all" });
  expect(["@here", "bob", "@alice"].map(writtenAs)).toEqual(["here", "bob", "@alice"]);
});
