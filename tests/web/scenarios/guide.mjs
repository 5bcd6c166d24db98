/** The page of a guide: what is written there is stored and shown, and what the other side writes comes. */
export default async function play(stage) {
  const { http_url, token, guide, me, other } = stage.given;
  const mine = `Written in ${guide}`;
  const alice = await stage.person();
  await alice.page.getByRole("status").getByText("online").waitFor();
  await alice.page.getByLabel("Write a message").fill(mine);
  await alice.page.getByRole("button", { name: "Send" }).click();
  const line = (text) => alice.page.getByRole("listitem").filter({ hasText: text });
  await line(`${me}: ${mine}`)
    .filter({ hasText: /sent|delivered|read/ })
    .waitFor();
  const answered = await fetch(`${http_url}/v1/conversations/dm:${me}:${other}/messages`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify({ content: `For ${guide} by bob` }),
  });
  stage.check(answered.ok, `bob writes: ${answered.status}`);
  await line(`${other}: For ${guide} by bob`).waitFor();
  await alice.page.reload();
  await line(`${other}: For ${guide} by bob`).waitFor();
  stage.check((await line(mine).count()) === 1, "it is there once");
}
