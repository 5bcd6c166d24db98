import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as client from "./driven.js";
import { run, type Scenario } from "./driver.js";

const FOLDER = new URL("../../vectors/scenarios/", import.meta.url);
const scenarios = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .flatMap((name) => JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as Scenario[]);

test("there are enough of them, and each has a name of its own", () => {
  expect(new Set(scenarios.map((scenario) => scenario.name)).size).toBe(scenarios.length);
  expect(scenarios.length).toBeGreaterThanOrEqual(60);
});

test.each(scenarios)("$name", async (scenario) => {
  await run(client, scenario);
});
