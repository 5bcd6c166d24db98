/** A reload in the middle of sending: the message is there at once, and arrives, once. */
import { overLine } from "../line.mjs";

export default async function play(stage) {
  const { alice, bob, line } = await overLine(stage);
  line.hold();
  await alice.say("in the middle");
  await alice.state("in the middle", "sending");
  line.mend();
  await alice.page.reload();
  await alice.sees("before");
  await alice.isSent("in the middle");
  await bob.sees("in the middle");
  await alice.say("after");
  await bob.sees("after");
  stage.check((await bob.texts()).join("|") === "before|in the middle|after", `each once: ${await bob.texts()}`);
  line.close();
}
