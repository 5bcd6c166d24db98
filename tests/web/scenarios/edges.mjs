/** Where pages lose their place: a long draft, a low window, one's own words from further up; and what can't be had is not asked for in a storm. */
export default async function play(stage) {
  const { a, b } = stage.given;
  const alice = await stage.person({ user: a });
  const { page } = alice;
  const atEnd = () =>
    page.waitForFunction(() => {
      const list = document.querySelector(".timeline");
      return list.scrollHeight - list.scrollTop - list.clientHeight < 2;
    });
  await alice.begin(b);
  for (let number = 0; number < 25; number++) await alice.say(`line ${number}`);
  await atEnd();
  await alice.box.fill("1\n2\n3\n4\n5\n6");
  await atEnd();
  await alice.box.press("Enter");
  await atEnd();
  await alice.say("W".repeat(4_000));
  await atEnd();
  await page.setViewportSize({ width: 1100, height: 460 });
  await atEnd();
  await page.evaluate(() => {
    document.querySelector(".timeline").scrollTop -= 900;
  });
  await page.getByRole("button", { name: "To the latest" }).waitFor();
  await alice.say("said from further up");
  await atEnd();

  await alice.context.setOffline(true);
  await page.getByText("You are offline").waitFor();
  await alice.context.setOffline(false);
  await page.getByText("You are offline").waitFor({ state: "hidden" });

  // A name can't turn what stands around it, nor read as another one.
  await alice.group("Tea gpj.exe".replace(" ", " \u202e"), [b]);
  const notice = await page.locator(".notice").first().textContent();
  stage.check(
    notice === `${a} made the group “\u2068Tea gpj.exe\u2069” · ${a} added ${b}`,
    `it stands apart: ${notice}`,
  );
  const shown = await page.locator("h2 bdi, .row-name").allTextContents();
  stage.check(!shown.join().includes("\u202e"), `and reads as it is: ${shown}`);

  let requests = 0;
  page.on("request", () => requests++);
  await page.evaluate(() => {
    location.hash = "#/nobody-knows-it";
  });
  await page.waitForTimeout(3_000);
  await page.getByText("There is no such chat").waitFor();
  stage.check((await alice.box.count()) === 0, "and nothing can be written there");
  stage.check(requests < 60, `what is not there is asked for a few times, not ${requests}`);
}
