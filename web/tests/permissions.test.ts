import { expect, test } from "vitest";
import { type Permission, permits } from "../src/lib/permissions";

const G = "group:x";
const may = (id: string, permission: Permission, role: string | null, told?: string[], isGuest = false) =>
  permits(id, permission, { told, role, isGuest });

test("what the server says counts, whatever the role", () => {
  expect(may(G, "pin", "member", ["send", "pin"])).toBe(true);
  expect(may(G, "send", "owner", ["pin"])).toBe(false);
  expect(may("channel:x", "send", null, ["send", "com.example.new"])).toBe(true);
});

test("until it has said so, and for an older server, it is as by the defaults", () => {
  expect(may(G, "send", null)).toBe(true);
  expect(may(G, "pin", null)).toBe(false);
  expect(may(G, "pin", "admin")).toBe(true);
  expect([may(G, "change_roles", "admin"), may(G, "change_roles", "owner")]).toEqual([false, true]);
  expect([may("channel:x", "send", null), may("channel:x", "send", "admin")]).toEqual([false, true]);
  expect(may(G, "pin", "owner", undefined, true)).toBe(false);
});

test("the two of a private conversation pin, and a guest does not", () => {
  const id = "dm:alice:bob";
  expect([may(id, "send", null), may(id, "pin", null), may(id, "delete_any", null)]).toEqual([true, true, false]);
  expect([may(id, "send", null, undefined, true), may(id, "pin", null, undefined, true)]).toEqual([true, false]);
});
