import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { run, type Scenario } from "./driver.js";
import { type Mistake, withMistake } from "./planted.js";

const FOLDER = new URL("../../vectors/scenarios/", import.meta.url);
const scenarios = readdirSync(FOLDER).flatMap((name) => {
  return JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as Scenario[];
});
const listed = JSON.parse(
  readFileSync(new URL("../../../tests/vectors/planted.json", import.meta.url), "utf8"),
) as Mistake[];
const mistakes = listed.flatMap(({ mistake, javascript }) => (javascript ? [{ mistake, change: javascript }] : []));

test.each(mistakes)("$mistake", async ({ change }) => {
  const client = await withMistake(change);
  for (const name of change.finds) {
    const scenario = scenarios.find((each) => each.name === name) as Scenario;
    await expect(run(client, scenario), name).rejects.toThrow();
  }
});

test("each scenario finds a mistake", () => {
  const finders = new Set(mistakes.flatMap(({ change }) => change.finds));
  expect(scenarios.map((scenario) => scenario.name).filter((name) => !finders.has(name))).toEqual([]);
});
