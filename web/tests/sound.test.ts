/** Voice notes as they are measured, told and drawn; and names as they are picked. */
import { expect, test } from "vitest";
import { lastOf, withLast } from "../src/inbox/found-users";
import { barsOf, clock, waveformOf } from "../src/lib/sound";

test("what was measured becomes at most a hundred numbers from 0 to 100, the loudest 100", () => {
  expect(waveformOf([0.1, 0.4, 0.2])).toEqual([25, 100, 50]);
  expect(waveformOf([])).toEqual([]);
  expect(waveformOf([0, 0])).toEqual([0, 0]);
  const long = waveformOf(Array.from({ length: 6_000 }, (_, index) => index / 6_000));
  expect(long).toHaveLength(100);
  expect(long.at(-1)).toBe(100);
  expect(long.every((one) => Number.isInteger(one) && one >= 0 && one <= 100)).toBe(true);
});

test("bars are there for any waveform, and between nothing and all", () => {
  for (const waveform of [[], [0], [100, 0], Array.from({ length: 100 }, (_, index) => index), [1e9, -5]]) {
    const bars = barsOf(waveform);
    expect(bars).toHaveLength(40);
    expect(bars.every((one) => one > 0 && one <= 1)).toBe(true);
  }
  expect(barsOf([0, 100], 2)).toEqual([0.08, 1]);
});

test("times read as minutes and seconds", () => {
  expect([0, 3.2, 59.6, 65, -1].map(clock)).toEqual(["0:00", "0:03", "1:00", "1:05", "0:00"]);
});

test("a user who is picked takes the place of what was typed last", () => {
  expect(lastOf("bob, ca", false)).toBe("ca");
  expect(lastOf("Bob Builder", true)).toBe("Bob Builder");
  expect(withLast("bob, ca", "carol")).toBe("bob, carol, ");
  expect(withLast("ca", "carol")).toBe("carol, ");
});
