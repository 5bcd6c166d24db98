/** Alice and bob open the two links and talk: states, typing, reply, edit, reaction, deletion, and what is unread. */
export default async function play(stage) {
  const { a, b } = stage.given;
  const alice = await stage.person({ user: a });
  const bob = await stage.person({ user: b, options: { locale: undefined } }); // a system without a language
  stage.check(!alice.page.url().includes(a), "the address says nothing of who it is");
  await alice.begin(b);
  await alice.say("hi bob");
  await alice.isSent("hi bob");
  await bob.row(a).getByText("1 unread message").waitFor();
  stage.check((await bob.page.title()).startsWith("(1)"), "the title tells of what is unread");
  await bob.open(a);
  await bob.page.bringToFront();
  await bob.sees("hi bob");
  await alice.state("hi bob", "read");
  await bob.say("hello alice");
  await alice.sees("hello alice");
  await bob.box.pressSequentially("and"); // who was never answered is not typed at
  await alice.page.getByRole("status").getByText(`${b} is writing`).waitFor();
  await alice.page.getByText("online", { exact: true }).waitFor();

  await alice.act("hello alice", "Reply");
  await alice.say("how are you?");
  const quote = bob.message("how are you?").getByRole("button", { name: `In reply to ${b}` });
  await quote.getByText("hello alice").waitFor();

  await alice.act("how are you?", "Edit");
  await alice.say("how are you all?");
  await bob.message("how are you all?").getByText("edited").waitFor();

  await bob.message("how are you all?").hover();
  await bob.message("how are you all?").getByRole("button", { name: "React 👍" }).click();
  const reaction = alice.message("how are you all?").getByRole("button", { name: `👍, 1 reaction: ${b}` });
  await reaction.click();
  await bob
    .message("how are you all?")
    .getByRole("button", { name: /👍, 2 reactions/ })
    .waitFor();

  await alice.act("hi bob", "Delete");
  await alice.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await bob.page.getByText("This message was deleted").waitFor();
  await bob.message("hello alice").waitFor();
}
