/** The page of examples/react-page: what waits is shown as unread, and read when it is; both sides write. */
export default async function play(stage) {
  const { http_url, token, me, other } = stage.given;
  const alice = await stage.person();
  await alice.page.getByRole("status").getByText("online").waitFor();
  const chats = alice.page.getByRole("navigation", { name: "Chats" });
  const row = chats.getByRole("button", { name: other });
  await row.getByText("1 new").waitFor();
  await row.click();
  const line = (text) => alice.page.getByRole("listitem").filter({ hasText: text });
  await line(`${other} Hello from the terminal`).waitFor();
  await row.getByText("1 new").waitFor({ state: "detached" });
  await alice.page.getByLabel("Write a message").fill("Hello from the page");
  await alice.page.getByRole("button", { name: "Send" }).click();
  await line(`${me} Hello from the page`)
    .filter({ hasText: /sent|delivered|read/ })
    .waitFor();
  const place = [me, other].sort().join(":");
  const answered = await fetch(`${http_url}/v1/conversations/dm:${place}/messages`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify({ content: "And back" }),
  });
  stage.check(answered.ok, `the other writes: ${answered.status}`);
  await line("And back").waitFor();
  await alice.page.reload();
  await row.click();
  await line("And back").waitFor();
  stage.check((await line("Hello from the page").count()) === 1, "it is there once");
}
