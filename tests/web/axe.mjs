/** What axe finds in a page, said so that one finds it again. The page's policy has to be bypassed for it (`bypassCSP`). */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** `look(where, page)` adds what it finds to `found`. */
export function looker(found) {
  return async (where, page) => {
    if (!(await page.evaluate(() => "axe" in window))) await page.addScriptTag({ content: AXE });
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const one of violations)
      found.push(
        `${where}: ${one.id}: ${one.nodes
          .map((node) => `${node.html.slice(0, 120)} ${node.any[0]?.message ?? ""}`)
          .slice(0, 3)
          .join(" … ")}`,
      );
  };
}
