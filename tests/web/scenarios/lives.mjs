/** The gateway ends each connection after seconds: they come again by themselves, and both have all of it in one order. */
import { setTimeout as pause } from "node:timers/promises";

const LIVES = 3;

export default async function play(stage) {
  const { a, b } = stage.given;
  const [alice, bob] = [await stage.person({ user: a }), await stage.person({ user: b })];
  const lives = [alice, bob].map(counted);
  await alice.begin(b);
  await alice.say("0");
  await bob.open(a);
  await bob.sees("0");
  const said = ["0"];
  while (lives.some((life) => life.begun < LIVES)) {
    const [one, other] = said.length % 2 ? [bob, alice] : [alice, bob];
    const text = String(said.length);
    await one.say(text);
    await other.sees(text); // before the next: it is the order in which they wrote
    said.push(text);
    if (said.length % 5 === 0) await pause(2_500); // silence, which ends connections, too
  }
  const hers = said.findLast((_, place) => place % 2 === 0);
  await alice.isSent(hers);
  for (const person of [alice, bob]) {
    const texts = await person.texts();
    const last = said.slice(-texts.length); // a long list is drawn where it is looked at
    stage.check(texts.length > 5 && texts.join("|") === last.join("|"), `each is there, once and in order: ${texts}`);
  }
}

/** How many WebSockets this window has opened from now on. */
function counted(person) {
  const life = { begun: 0 };
  person.page.on("websocket", () => life.begun++);
  return life;
}
