/** Builds the page into `web/dist`: everything beside each other and by relative names, so that it can stand anywhere. */
import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const LANGUAGES = ["en", "de", "zh"];

/** The emoji picker asks for these when it is first opened, in the page's language; from here and from nowhere else. */
function emojiData(): Plugin {
  const data = dirname(createRequire(import.meta.url).resolve("emojibase-data/package.json"));
  return {
    name: "emoji-data",
    apply: "build",
    writeBundle({ dir = join(here, "dist") }) {
      for (const language of LANGUAGES) {
        mkdirSync(join(dir, "emoji", language), { recursive: true });
        for (const file of ["data.json", "messages.json"]) {
          copyFileSync(join(data, language, file), join(dir, "emoji", language, file));
        }
      }
    },
  };
}

/** What Radix's modal menus lock the page with, by style elements, which the page's policy forbids: its menus are not modal. */
const MODAL = /^(react-remove-scroll|aria-hidden)$/;

export default defineConfig({
  root: here,
  base: "./",
  resolve: {
    conditions: ["source", "module", "browser", "development|production"],
    alias: [{ find: MODAL, replacement: join(here, "src/ui/not-modal.ts") }],
  },
  plugins: [emojiData()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
