/** A long conversation: scrolled back from its end, with a few rows rendered at any time, and to the end at once. */
export default async function play(stage) {
  const { a, conversation, count, back } = stage.given;
  const alice = await stage.person({ user: a });
  await alice.page.getByRole("heading", { name: "Chats" }).waitFor();
  await alice.page.evaluate((id) => {
    location.hash = `#/${encodeURIComponent(id)}`;
  }, conversation);
  await alice.sees(`message ${count}`);
  const area = alice.page.getByRole("region", { name: "Messages" });
  let most = 0;
  let seen = count;
  while (seen > back) {
    await area.evaluate((node) => {
      node.scrollTop = 0;
    });
    // Until what stands there now is older than what stood there.
    seen = await alice.page
      .waitForFunction((before) => {
        const numbers = [...document.querySelectorAll(".message .content")].map((node) =>
          Number(node.textContent.split(" ")[1]),
        );
        const first = Math.min(...numbers);
        return first < before ? first : null;
      }, seen)
      .then((handle) => handle.jsonValue());
    most = Math.max(most, await alice.page.locator(".timeline li").count());
  }
  stage.check(most < 120, `few rows are rendered: ${most}`);
  const gaps = await alice.page.evaluate(() => {
    const rows = [...document.querySelectorAll(".timeline li")]
      .map((node) => node.getBoundingClientRect())
      .sort((x, y) => x.top - y.top);
    return rows.slice(1).filter((row, index) => Math.abs(row.top - rows[index].bottom) > 2).length;
  });
  stage.check(gaps === 0, `the rows stand one below the other: ${gaps}`);
  await alice.page.getByRole("button", { name: "To the latest messages" }).click();
  await alice.sees(`message ${count}`);
  return { most };
}
