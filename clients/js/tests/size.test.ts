/** What the client adds to a page: bundled and minified as a page's, and as it comes over the network. */

import { gzipSync } from "node:zlib";
import { build, type Rollup } from "vite";
import { expect, test } from "vitest";
import * as client from "../src/index.js";

const LARGEST = 25_000;
const ENTRY = new URL("../src/index.ts", import.meta.url).pathname;

test("all of it takes at most 25 KB", async () => {
  const page = "\0page";
  const names = Object.keys(client).join(", ");
  const everything = `import { ${names} } from ${JSON.stringify(ENTRY)}; globalThis.client = [${names}];`;
  const made = (await build({
    configFile: false,
    logLevel: "silent",
    plugins: [
      {
        name: "page",
        resolveId: (id: string) => (id === "page" ? page : null),
        load: (id: string) => (id === page ? everything : null),
      },
    ],
    build: { target: "es2022", write: false, modulePreload: false, rollupOptions: { input: "page" } },
  })) as Rollup.RollupOutput;
  const code = made.output.map((chunk) => ("code" in chunk ? chunk.code : "")).join("");
  expect(code).toContain("/v1/tickets");
  const size = gzipSync(code, { level: 9 }).length;
  expect(size).toBeLessThanOrEqual(LARGEST);
});
