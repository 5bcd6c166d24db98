/** One user in two tabs of one browser: what is written in one is in the other, and what is read in one is read. */
export default async function play(stage) {
  const { a, b } = stage.given;
  const bob = await stage.person({ user: b });
  await bob.begin(a);
  await bob.say("one");
  const first = await stage.person({ user: a });
  const second = await stage.person({ user: a, context: first.context });
  await second.row(b).getByText("1 unread message").waitFor();
  await first.open(b);
  await first.page.bringToFront();
  await first.sees("one");
  await second.row(b).getByText("1 unread message").waitFor({ state: "detached" });
  await first.say("two");
  await second.open(b);
  await second.isSent("two");
  await second.say("three");
  await first.isSent("three");
  await bob.sees("three");
  stage.check((await bob.texts()).join("|") === "one|two|three", `each once: ${await bob.texts()}`);
}
