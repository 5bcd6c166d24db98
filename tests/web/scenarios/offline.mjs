/** Alice's line is cut; both write; it is mended, and both have all of it in one order. */
import { overLine } from "../line.mjs";

export default async function play(stage) {
  const { alice, bob, line } = await overLine(stage);
  line.cut();
  await alice.page.getByText("You are offline").waitFor();
  await alice.say("from alice, offline");
  await alice.state("from alice, offline", "sending");
  await bob.say("from bob, meanwhile");
  await bob.state("from bob, meanwhile", "sent");
  line.mend();
  await alice.connect();
  await alice.sees("from bob, meanwhile");
  await alice.isSent("from alice, offline");
  await bob.sees("from alice, offline");
  const [hers, his] = [await alice.texts(), await bob.texts()];
  stage.check(hers.join("|") === "before|from bob, meanwhile|from alice, offline", `hers are in order: ${hers}`);
  stage.check(his.join("|") === hers.join("|"), `his are the same: ${his}`);
  line.close();
}
