/** `node play.mjs NAME` plays a scenario: what it is given comes as JSON by stdin, what it has to say goes as JSON to stdout. */
import { text } from "node:stream/consumers";
import { launch, Stage } from "./stage.mjs";

const name = process.argv[2];
const given = JSON.parse(await text(process.stdin));
const { default: scenario } = await import(`./scenarios/${name}.mjs`);
let browser;
let stage;
try {
  browser = await launch();
  stage = new Stage(browser, given);
  const result = await scenario(stage);
  stage.check(!stage.complaints.length, `the console is silent: ${stage.complaints.join(" | ").slice(0, 1_000)}`);
  console.log(JSON.stringify(result ?? {}));
} catch (error) {
  console.error(String(error.stack ?? error));
  if (given.shots) {
    for (const [index, page] of (stage?.pages ?? []).entries()) {
      await page.screenshot({ path: `${given.shots}/${name}-${index}.png` }).catch(() => undefined);
    }
  }
  if (stage?.complaints.length) console.error(stage.complaints.join("\n").slice(0, 2_000));
  process.exitCode = 1;
} finally {
  await browser?.close();
  process.exit(); // a line that a failed scenario has left open would hold it
}
