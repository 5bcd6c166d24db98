/** A line between a browser and the stack, which can be cut, and held. */
import { connect, createServer } from "node:net";

async function makeLine(url) {
  const there = new URL(url);
  const sockets = new Set();
  let isCut = false;
  let isHeld = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(Number(there.port), "127.0.0.1");
    for (const one of [near, far]) {
      sockets.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        sockets.delete(one);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (data) => isHeld || far.write(data)); // what is said into a held line is lost
    far.on("data", (data) => near.write(data));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  const drop = () => {
    for (const one of sockets) one.destroy();
  };
  return {
    port,
    cut() {
      isCut = true;
      drop();
    },
    hold() {
      isHeld = true;
    },
    mend() {
      isCut = isHeld = false;
      drop();
    },
    close() {
      drop();
      server.close();
    },
  };
}

/** Bob has written to Alice, who sees it through a line of her own. */
export async function overLine(stage) {
  const { a, b } = stage.given;
  const line = await makeLine(stage.url);
  const bob = await stage.person({ user: b });
  await bob.begin(a);
  await bob.say("before");
  const context = await stage.browser.newContext({ locale: "en-GB" });
  await throughLine(context, line);
  const alice = await stage.person({ user: a, context, at: `http://localhost:${line.port}/ui/` });
  await alice.open(b);
  await alice.sees("before");
  return { alice, bob, line };
}

/** Has a page that is opened at the line's address use it for the stack, too. */
async function throughLine(context, line) {
  await context.route("**/ui/config.json", async (route) => {
    const answer = await route.fetch();
    const config = await answer.json();
    for (const name of ["ws_url", "http_url"]) {
      const url = new URL(config[name]);
      url.port = String(line.port);
      config[name] = url.href;
    }
    await route.fulfill({ response: answer, json: config });
  });
}
