/** A channel: its owner writes, and who reads it sees that, and has nothing to write with. */
export default async function play(stage) {
  const { a, b, channel } = stage.given;
  const alice = await stage.person({ user: a });
  const bob = await stage.person({ user: b });
  await alice.open("The house");
  await alice.say("The lift is out of order");
  await alice.isSent("The lift is out of order");
  await bob.row("The house").first().click();
  await bob.page.getByRole("heading", { name: "The house" }).waitFor();
  await bob.sees("The lift is out of order");
  await bob.page.getByText("Only a few write here: you read").waitFor();
  stage.check((await bob.box.count()) === 0, "a reader has nowhere to write");
  await bob.message("The lift is out of order").hover();
  stage.check(
    (await bob.page.getByRole("button", { name: "Actions for this message" }).count()) === 0,
    "nor anything to do with a message",
  );
  await alice.say("It runs again");
  await bob.sees("It runs again"); // by a pack
  await bob.page.reload();
  await bob.sees("It runs again");
  await bob.page.getByText("Only a few write here: you read").waitFor();
  if (stage.given.pictures) await bob.page.screenshot({ path: `${stage.given.pictures}/channel.png` });
  stage.check(
    bob.page.url().includes(encodeURIComponent(channel)) || bob.page.url().includes(channel),
    "it has its address",
  );
}
