/** The client's core with a mistake put into it, built apart. */

import { readFileSync } from "node:fs";
import { build, type Rollup } from "vite";
import type { Client } from "./driver.js";

export type Change = { file: string; find: string; replace: string };
export type Mistake = {
  mistake: string;
  javascript: Change & { finds: string[] };
  python: Change & { finds: string[] };
};

const SOURCE = new URL("../src/", import.meta.url).pathname;
const ENTRY = new URL("./driven.ts", import.meta.url).pathname;

export function changed(change: Change): string {
  const text = readFileSync(SOURCE + change.file, "utf8");
  const parts = text.split(change.find);
  if (parts.length !== 2)
    throw new Error(`${change.file} has ${JSON.stringify(change.find)} ${parts.length - 1} times`);
  return parts.join(change.replace);
}

export async function withMistake(change: Change): Promise<Client> {
  const text = changed(change);
  const plugin = {
    name: "planted",
    enforce: "pre" as const,
    load: (id: string) => (id === SOURCE + change.file ? text : null),
  };
  const made = (await build({
    configFile: false,
    logLevel: "silent",
    plugins: [plugin],
    build: { target: "es2022", write: false, minify: false, lib: { entry: ENTRY, formats: ["es"] } },
  })) as Rollup.RollupOutput[];
  const code = made[0]?.output[0].code ?? "";
  return (await import(
    /* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`
  )) as Client;
}
