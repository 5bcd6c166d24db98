/** A reload in the middle of sending: the message is there at once, and arrives, once. */
import { makeLine, throughLine } from "../line.mjs";

export default async function play(stage) {
  const { a, b } = stage.given;
  const line = await makeLine(stage.url);
  const bob = await stage.person({ user: b });
  await bob.begin(a);
  await bob.say("before");
  const context = await stage.browser.newContext({ locale: "en-GB" });
  await throughLine(context, line);
  const alice = await stage.person({ user: a, context, at: `http://localhost:${line.port}/ui/` });
  await alice.open(b);
  await alice.sees("before");
  line.hold();
  await alice.say("in the middle");
  await alice.state("in the middle", "sending");
  line.mend();
  await alice.page.reload();
  await alice.sees("before");
  await alice.state("in the middle", "sent", "delivered", "read");
  await bob.sees("in the middle");
  await alice.say("after");
  await bob.sees("after");
  stage.check((await bob.texts()).join("|") === "before|in the middle|after", `each once: ${await bob.texts()}`);
  line.close();
}
