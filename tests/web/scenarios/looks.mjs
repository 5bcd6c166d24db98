/** How it looks: pictures of a chat on a desktop, on a phone, in the dark, from right to left, in Chinese. Nothing stands out of the window. */
const LINES = [
  ["b", "Morning! Did the numbers come in?"],
  ["a", "Yes, and they are better than we thought 🎉"],
  ["c", "Can I see them before we tell the others?"],
  ["a", "Of course. After lunch, in the small room?"],
  ["b", "Works for me. The plan: https://example.com/plan"],
  ["c", "שלום, אני מגיעה בשעה ארבע"],
  ["a", "记得带上那本书。"],
  ["b", "🍵"],
];
const WINDOWS = {
  desktop: {},
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  rtl: { dir: "rtl" },
  zh: { locale: "zh-CN", colorScheme: "dark" },
  de: { locale: "de-DE" },
};

export default async function play(stage) {
  const { a, b, c } = stage.given;
  const alice = await stage.person({ user: a });
  const people = { a: alice, b: await stage.person({ user: b }), c: await stage.person({ user: c }) };
  await alice.group("Tea at four", [b, c]);
  for (const one of [people.b, people.c]) await one.open("Tea at four");
  for (const [who, text] of LINES) {
    await people[who].say(text);
    for (const one of Object.values(people))
      await one.page.locator(".content").getByText(text.split(" https")[0]).first().waitFor();
  }
  await people.b.message("Can I see them before we tell the others?").hover();
  await people.b.message("Can I see them before we tell the others?").getByRole("button", { name: "React 👍" }).click();
  await alice.page.getByRole("button", { name: /👍, 1 reaction/ }).waitFor();
  await people.b.begin(a);
  await people.b.say("Just between us: well done");
  await alice.row(b).getByText("1 unread message").waitFor();
  for (const [name, { dir, ...options }] of Object.entries(WINDOWS)) {
    const context = await stage.browser.newContext({
      locale: "en-GB",
      viewport: { width: 1100, height: 760 },
      ...options,
    });
    if (dir) await context.addInitScript((wanted) => localStorage.setItem("parley.dir", wanted), dir);
    const { page } = await stage.person({ user: a, context });
    if (name === "phone") {
      await page.locator(".row").first().waitFor();
      await page.screenshot({ path: `${stage.given.pictures}/phone-list.png` });
    }
    await page.locator(".row").filter({ hasText: "Tea at four" }).first().click();
    await page.locator(".content").getByText("🍵").waitFor();
    await page.locator(".reaction").waitFor();
    const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    stage.check(wide <= room, `${name}: nothing stands out of the window: ${wide} > ${room}`);
    const outside = await page.evaluate(() => {
      const area = document.querySelector(".timeline").getBoundingClientRect();
      const boxes = [...document.querySelectorAll(".bubble, .reaction")].map((node) => node.getBoundingClientRect());
      return boxes.filter((box) => box.left < area.left - 1 || box.right > area.right + 1).length;
    });
    stage.check(outside === 0, `${name}: no message stands out of its list`);
    const below = await page.evaluate(() => {
      const ends = (node) => node.getBoundingClientRect().bottom;
      return [...document.querySelectorAll(".meta")].filter((one) => ends(one) > ends(one.closest(".bubble"))).length;
    });
    stage.check(below === 0, `${name}: a time stands in its message`);
    await page.screenshot({ path: `${stage.given.pictures}/${name}.png` });
  }
}
